/** Makes and deletes the pods of a controller, and tells events of both. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { isNotFound } from "./answers.ts";
import type { ControllerContext } from "./context.ts";

export interface PodControl {
  /** Uids of pods whose deletion was asked for and not seen yet. */
  readonly deleting: ReadonlySet<string>;
  /** Rejects with the server's error, after an event. */
  create(owner: KubernetesObject, pod: Pod): Promise<void>;
  /** The same; one that is gone already is no error. */
  remove(owner: KubernetesObject, pod: Pod): Promise<void>;
}

/** The texts of a StatefulSet's events differ from the others'. */
interface Texts {
  readonly done: (verb: "create" | "delete", pod: Pod, owner: KubernetesObject) => string;
  readonly failed: (verb: "create" | "delete", pod: Pod, owner: KubernetesObject, error: string) => string;
}

const plainTexts: Texts = {
  done: (verb, pod) => `${verb === "create" ? "Created" : "Deleted"} pod: ${pod.metadata?.name ?? ""}`,
  failed: (verb, _pod, _owner, error) => `Error ${verb === "create" ? "creating" : "deleting"}: ${error}`,
};

export function createPodControl(
  { client, informers: { pods } }: ControllerContext,
  {
    resource,
    recorder,
    texts = plainTexts,
  }: { readonly resource: Resource<KubernetesObject>; readonly recorder: EventRecorder; readonly texts?: Texts },
): PodControl {
  const deleting = new Set<string>();
  pods.onChange(({ current, previous }) => {
    if (current === undefined || current.metadata?.deletionTimestamp !== undefined) {
      deleting.delete(previous?.metadata?.uid ?? "");
    }
  });
  const failed = (verb: "create" | "delete", owner: KubernetesObject, pod: Pod, error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    recorder.event(referenceTo(resource, owner), {
      type: "Warning",
      reason: verb === "create" ? "FailedCreate" : "FailedDelete",
      message: texts.failed(verb, pod, owner, message),
    });
  };
  return {
    deleting,
    create: async (owner, pod) => {
      try {
        const created = await client.create(resources.pods, pod);
        pods.observe(created);
        const message = texts.done("create", created, owner);
        recorder.event(referenceTo(resource, owner), { type: "Normal", reason: "SuccessfulCreate", message });
      } catch (error) {
        failed("create", owner, pod, error);
        throw error;
      }
    },
    remove: async (owner, pod) => {
      const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
      deleting.add(uid);
      try {
        await client.delete(resources.pods, { namespace, name }, { preconditions: { uid } });
        const message = texts.done("delete", pod, owner);
        recorder.event(referenceTo(resource, owner), { type: "Normal", reason: "SuccessfulDelete", message });
      } catch (error) {
        deleting.delete(uid);
        if (isNotFound(error)) return;
        failed("delete", owner, pod, error);
        throw error;
      }
    },
  };
}
