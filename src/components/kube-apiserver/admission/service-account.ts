/** Gives each pod its service account: the name, and the token, CA and namespace mounted where clients look for them. */
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from "../../../api/generated/types.ts";
import { draftOf } from "../../../api/registry/index.ts";
import type { Draft } from "../../../api/registry/index.ts";
import { forbidden } from "../../../api/status.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { ObjectStore, StoreKey } from "../../../storage/index.ts";
import { randomSuffix } from "../resources/names.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { mirrorNotAllowed, secretNotAllowed } from "./secret-references.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const defaultAccount = "default";
const mirrorAnnotation = "kubernetes.io/config.mirror";
/** A new namespace gets its account a moment later; as upstream we wait for it that long. */
const patienceMs = 1000;

export function serviceAccountAdmission(store: ObjectStore, clock: Pick<Clock, "sleep">): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    before: async (request, object) => {
      if (!isNewPod(request) || isMirror(object)) return;
      const key = accountKey(request, object);
      if (store.get(key) === undefined) await appearance(store, key, clock);
    },
    mutate: (request, object) => {
      if (!isNewPod(request) || isMirror(object)) return object;
      const pod = draftOf<Pod>(object);
      if (pod.spec === undefined) return object;
      const key = accountKey(request, object);
      const account: ServiceAccount | undefined = store.get(key)?.object;
      if (account === undefined) {
        const why = `error looking up service account ${key.namespace}/${key.name}: serviceaccount "${key.name}" not found`;
        throw forbidden({ group: "", name: "pods" }, request.name, why);
      }
      pod.spec.serviceAccountName = key.name;
      pod.spec.serviceAccount = key.name;
      const mounts = pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
      if (mounts) mountToken(pod.spec);
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) {
        pod.spec.imagePullSecrets = draftOf(account.imagePullSecrets ?? []);
      }
      return pod;
    },
    validate: (request) => {
      const { object, name, subresource } = request;
      const addsContainers = request.operation === "UPDATE" && subresource === "ephemeralcontainers";
      if (object === undefined || !(isNewPod(request) || addsContainers)) return;
      const account: ServiceAccount | undefined = store.get(accountKey(request, object))?.object;
      const why = isMirror(object)
        ? mirrorNotAllowed(object)
        : account === undefined
          ? undefined
          : secretNotAllowed(account, object);
      if (why !== undefined) throw forbidden({ group: "", name: "pods" }, name, why);
    },
  };
}

function isNewPod({ definition, operation, subresource }: AdmissionRequest): boolean {
  return operation === "CREATE" && definition.group === "" && definition.plural === "pods" && subresource === "";
}

/** A mirror of what runs on a node anyway has no use for an account. */
function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[mirrorAnnotation] !== undefined;
}

function accountKey({ namespace }: AdmissionRequest, { spec }: Pod): StoreKey {
  const name = spec?.serviceAccountName ?? spec?.serviceAccount ?? "";
  return { resource: "serviceaccounts", namespace, name: name === "" ? defaultAccount : name };
}

function mountToken(spec: Draft<PodSpec>): void {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const without = containers.filter((container) => !hasTokenMount(container));
  if (without.length === 0) return;
  const name = `kube-api-access-${randomSuffix()}`;
  for (const container of without) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
  }
  spec.volumes = [...(spec.volumes ?? []), draftOf(tokenVolume(name))];
}

function hasTokenMount({ volumeMounts = [] }: Container): boolean {
  return volumeMounts.some((mount) => mount.mountPath === mountPath);
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    },
  };
}

/** Waits until the object is stored, or the patience ends. */
async function appearance(store: ObjectStore, key: StoreKey, clock: Pick<Clock, "sleep">): Promise<void> {
  const arrived = new AbortController();
  const stop = store.watch(key.resource, store.revision, ({ type, current }) => {
    if (type === "ADDED" && current.key.name === key.name && current.key.namespace === key.namespace) arrived.abort();
  });
  try {
    await clock.sleep(patienceMs, arrived.signal);
  } catch {
    // It is there: the sleep was cut short.
  } finally {
    stop();
  }
}
