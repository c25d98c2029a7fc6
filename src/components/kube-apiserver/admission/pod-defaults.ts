/** What every pod gets besides its service account: a priority, and patience with nodes that are not well. */
import type { Pod, PodSpec, PriorityClass, Toleration } from "../../../api/generated/types.ts";
import { draftOf } from "../../../api/registry/index.ts";
import type { Draft } from "../../../api/registry/index.ts";
import { forbidden } from "../../../api/status.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

/** Classes that exist without being stored. */
const systemPriorities: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

export function priorityAdmission(store: ObjectStore): AdmissionPlugin {
  const classesPlace = "priorityclasses.scheduling.k8s.io";
  const classes = (): readonly PriorityClass[] =>
    store.list(classesPlace).items.map(({ object }) => object as unknown as PriorityClass);
  return {
    name: "Priority",
    // Of two default classes nobody could tell which one counts.
    validate: ({ definition, operation, object, name }) => {
      const isClass = definition.plural === "priorityclasses" && definition.group === "scheduling.k8s.io";
      if (!isClass || (operation !== "CREATE" && operation !== "UPDATE")) return;
      const wanted: Partial<PriorityClass> | undefined = object;
      if (wanted?.globalDefault !== true) return;
      const other = classes().find((one) => one.globalDefault === true && one.metadata?.name !== name);
      if (other === undefined) return;
      const why = `PriorityClass ${other.metadata?.name} is already marked as default. Only one default can exist`;
      throw forbidden({ group: definition.group, name: definition.plural }, name, why);
    },
    mutate: (request, object) => {
      const pod = podOf(request, object);
      if (pod?.spec === undefined) return object;
      const { spec } = pod;
      const refuse = (why: string): never => {
        throw forbidden({ group: "", name: "pods" }, request.name, why);
      };
      const named = spec.priorityClassName ?? "";
      const chosen =
        named === ""
          ? classes().find(({ globalDefault }) => globalDefault === true)
          : classes().find(({ metadata }) => metadata?.name === named);
      const value = chosen?.value ?? systemPriorities[named] ?? (named === "" ? 0 : undefined);
      if (value === undefined) return refuse(`no PriorityClass with name ${named} was found`);
      if (spec.priority !== undefined && spec.priority !== value) {
        refuse(
          `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      }
      if (chosen?.metadata?.name !== undefined) spec.priorityClassName = chosen.metadata.name;
      spec.priority = value;
      const policy = chosen?.preemptionPolicy ?? "PreemptLowerPriority";
      if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
        refuse(
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        );
      }
      spec.preemptionPolicy = policy;
      return pod;
    },
  };
}

const patienceSeconds = 300;
const nodeTroubles = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  mutate: (request, object) => {
    // A changed pod, too: whoever sets its tolerations anew need not know of these.
    if (!isPod(request) || (request.operation !== "CREATE" && request.operation !== "UPDATE")) return object;
    const pod: Draft<Pod> = draftOf(object as Pod);
    if (pod.spec === undefined) return object;
    addTolerations(pod.spec);
    return pod;
  },
};

function addTolerations(spec: Draft<PodSpec>): void {
  const present: readonly Toleration[] = spec.tolerations ?? [];
  const tolerates = (taint: string): boolean =>
    present.some(
      ({ key = "", effect = "" }) => (key === taint || key === "") && (effect === "NoExecute" || effect === ""),
    );
  const missing = nodeTroubles.filter((taint) => !tolerates(taint));
  if (missing.length === 0) return;
  const added = missing.map((key) => ({
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: patienceSeconds,
  }));
  spec.tolerations = [...(spec.tolerations ?? []), ...added];
}

/** A private copy of a new pod; undefined for everything else. */
function podOf(request: AdmissionRequest, object: Pod): Draft<Pod> | undefined {
  return isPod(request) && request.operation === "CREATE" ? draftOf(object) : undefined;
}

function isPod({ definition, subresource }: AdmissionRequest): boolean {
  return definition.group === "" && definition.plural === "pods" && subresource === "";
}
