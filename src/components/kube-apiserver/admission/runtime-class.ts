/** What a pod's runtime class adds to it: what it costs, and where it can run. */
import { own } from "../../../lib/own/index.ts";
import type { Pod, PodSpec, RuntimeClass } from "../../../api/generated/types.ts";
import { draftOf } from "../../../api/registry/index.ts";
import { forbidden } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { compareQuantities, parseQuantity } from "../../../lib/quantity/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

type Quantities = Readonly<Record<string, string>>;

export function runtimeClass(store: ObjectStore): AdmissionPlugin {
  const classOf = (
    { name: podName }: AdmissionRequest,
    { runtimeClassName: name }: PodSpec,
  ): RuntimeClass | undefined => {
    if (name === undefined) return undefined;
    const stored = store.get({ resource: "runtimeclasses.node.k8s.io", namespace: "", name });
    if (stored === undefined) throw refusal(podName, `pod rejected: RuntimeClass "${name}" not found`);
    return stored.object as unknown as RuntimeClass;
  };
  return {
    name: "RuntimeClass",
    mutate: (request, object) => {
      const spec = newPodSpec(request, object);
      const found = spec === undefined ? undefined : classOf(request, spec);
      if (spec === undefined || (found?.overhead === undefined && found?.scheduling === undefined)) return object;
      return Object.assign({}, object, { spec: withClass(spec, found, request.name) });
    },
    validate: (request) => {
      const spec = request.object === undefined ? undefined : newPodSpec(request, request.object);
      if (spec === undefined) return;
      const wanted = classOf(request, spec)?.overhead;
      if (wanted === undefined && spec.overhead !== undefined) {
        throw refusal(
          request.name,
          "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        );
      }
      if (wanted !== undefined && !isSame(wanted.podFixed, spec.overhead)) throw otherOverhead(request.name);
    },
  };
}

function newPodSpec(request: AdmissionRequest, object: Pod): PodSpec | undefined {
  return isNewOf(request, { group: "", plural: "pods" }) ? object.spec : undefined;
}

function withClass(given: PodSpec, { overhead, scheduling }: RuntimeClass, podName: string): PodSpec {
  const spec = draftOf(given);
  if (overhead !== undefined) {
    const isSet = Object.keys(spec.overhead ?? {}).length > 0;
    if (isSet && !isSame(overhead.podFixed, spec.overhead)) throw otherOverhead(podName);
    spec.overhead = draftOf(overhead.podFixed ?? {});
  }
  for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
    const wanted = own(spec.nodeSelector, key);
    if (wanted !== undefined && wanted !== value) {
      const classes = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}`;
      throw refusal(podName, `conflict: ${classes}; pod.spec.nodeSelector[${key}] = ${wanted}`);
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  const present = spec.tolerations ?? [];
  const added = (scheduling?.tolerations ?? []).filter((one) => !present.some((other) => isJsonEqual(one, other)));
  if (added.length > 0) spec.tolerations = [...present, ...draftOf(added)];
  return spec;
}

function isSame(left: Quantities = {}, right: Quantities = {}): boolean {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].every((name) => {
    const [one, other] = [left[name], right[name]];
    if (one === undefined || other === undefined) return false;
    return compareQuantities(parseQuantity(one), parseQuantity(other)) === 0;
  });
}

function otherOverhead(podName: string): ApiError {
  return refusal(podName, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function refusal(podName: string, why: string): ApiError {
  return forbidden({ group: "", name: "pods" }, podName, why);
}
