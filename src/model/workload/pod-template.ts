/** The pod a controller makes from its template. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import type { Pod, PodTemplateSpec } from "../../api/generated/types.ts";
import { controllerReference } from "./ownership.ts";

/** The pod to create; the server completes its name with five characters. */
export function podFromTemplate(
  template: PodTemplateSpec | undefined,
  { resource, owner }: { readonly resource: Resource<KubernetesObject>; readonly owner: KubernetesObject },
): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  return {
    metadata: {
      generateName: generateNameOf(owner.metadata?.name ?? ""),
      ...(owner.metadata?.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    ...(template?.spec === undefined ? {} : { spec: template.spec }),
  };
}

/** Upstream leaves out the hyphen where the name is too long for it. */
function generateNameOf(name: string): string {
  return name.length < 253 ? `${name}-` : name;
}
