/** Which requests most plugins are about. */
import type { AdmissionRequest } from "./admission.ts";

/** Is an object of the kind created? */
export function isNewOf(
  { definition, operation, subresource }: AdmissionRequest,
  { group, plural }: { readonly group: string; readonly plural: string },
): boolean {
  const { storage } = definition;
  return operation === "CREATE" && subresource === "" && storage.group === group && storage.plural === plural;
}
