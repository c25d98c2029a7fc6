import { isJsonEqual } from "../../../lib/equal/index.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { warn } from "./environment.ts";
import type { RequestContext } from "./environment.ts";

/** An owner that is named twice, in the same words, is kept once; the client is told, as upstream does. */
export function withUniqueOwners(
  object: KubernetesObject,
  context: RequestContext,
  /** Upstream looks at what a patch makes only after admission, and says so. */
  { isPatched }: { readonly isPatched: boolean },
): KubernetesObject {
  const owners = object.metadata?.ownerReferences ?? [];
  const unique = owners.filter((owner, index) => owners.findIndex((other) => isJsonEqual(other, owner)) === index);
  if (unique.length === owners.length) return object;
  const repeated = owners.filter((owner) => !unique.includes(owner)).map(({ uid }) => uid);
  const when = isPatched ? " after mutating admission happens" : "";
  warn(context, [
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: [${repeated.join(" ")}]`,
  ]);
  return { ...object, metadata: { ...object.metadata, ownerReferences: unique } };
}
