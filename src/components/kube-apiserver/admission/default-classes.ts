/** The class that an object gets which names none: the newest of those marked as default. */
import type { Ingress, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

const ingressMark = "ingressclass.kubernetes.io/is-default-class";
/** How it was said before there was a field. */
const ingressAnnotation = "kubernetes.io/ingress.class";
const storageMarks = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
] as const;
const storageAnnotation = "volume.beta.kubernetes.io/storage-class";

export function defaultIngressClass(store: ObjectStore): AdmissionPlugin {
  return {
    name: "DefaultIngressClass",
    mutate: (request, object) => {
      if (!isNewOf(request, { group: "networking.k8s.io", plural: "ingresses" })) return object;
      const ingress: Ingress = object;
      if (ingress.spec?.ingressClassName !== undefined) return object;
      if (ingress.metadata?.annotations?.[ingressAnnotation] !== undefined) return object;
      const name = newestMarked(store, "ingressclasses.networking.k8s.io", [ingressMark]);
      if (name === undefined) return object;
      return Object.assign({}, ingress, { spec: { ...ingress.spec, ingressClassName: name } });
    },
  };
}

export function defaultStorageClass(store: ObjectStore): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    mutate: (request, object) => {
      if (!isNewOf(request, { group: "", plural: "persistentvolumeclaims" })) return object;
      const claim: PersistentVolumeClaim = object;
      // "" is a wish too: no class.
      if (claim.spec?.storageClassName !== undefined) return object;
      if (claim.metadata?.annotations?.[storageAnnotation] !== undefined) return object;
      const name = newestMarked(store, "storageclasses.storage.k8s.io", storageMarks);
      if (name === undefined) return object;
      return Object.assign({}, claim, { spec: { ...claim.spec, storageClassName: name } });
    },
  };
}

function newestMarked(store: ObjectStore, resource: string, marks: readonly string[]): string | undefined {
  const marked = store
    .list(resource)
    .items.map(({ object }) => object)
    .filter(({ metadata }) => marks.some((mark) => metadata?.annotations?.[mark] === "true"));
  // The store's order is by name, and the sort keeps it among those of one second.
  const createdAt = ({ metadata }: KubernetesObject): string => metadata?.creationTimestamp ?? "";
  return marked.toSorted((a, b) => (createdAt(a) > createdAt(b) ? -1 : Number(createdAt(a) < createdAt(b))))[0]
    ?.metadata?.name;
}
