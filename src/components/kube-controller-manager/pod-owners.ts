/** Which objects of a kind a change of a pod concerns. */
import type { KubernetesObject } from "../../api/object.ts";
import type { LabelSelector, Pod } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import type { Change, Informer } from "../../machinery/informer/index.ts";
import { controllerOf } from "../../model/workload/index.ts";
import { textOf, versions } from "./keys.ts";

type Selecting = KubernetesObject & { readonly spec?: { readonly selector?: LabelSelector } };

/** Keys of those that control the pod, before or now; for one without a controller of those that might adopt it. */
export function ownersOf<T extends KubernetesObject>(
  informer: Pick<Informer<T, "namespace">, "resource" | "store">,
  change: Change<Pod>,
  selectorOf: (object: T) => LabelSelector | undefined = ({ spec }: Selecting) => spec?.selector,
): readonly string[] {
  const keys = new Set<string>();
  for (const pod of versions(change)) {
    const namespace = pod.metadata?.namespace ?? "";
    const controller = controllerOf(pod);
    if (controller?.kind === informer.resource.kind) keys.add(`${namespace}/${controller.name}`);
    if (controller !== undefined || pod !== change.current) continue;
    for (const object of informer.store.byIndex("namespace", namespace)) {
      if (matchesSelector(selectorOf(object), pod.metadata?.labels ?? {})) keys.add(textOf(object));
    }
  }
  return [...keys];
}
