/** The names of types in OpenAPI documents: `Service` -> `io.k8s.api.core.v1.Service`. */
import { packages as today } from "../generated/definitions.ts";
import { oldPackages } from "../old/tables.ts";

const packages = { ...today, ...oldPackages };

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** Names of types that the client's models have no class for. */
export const wellKnown = {
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  patch: `${meta}.Patch`,
  watchEvent: `${meta}.WatchEvent`,
  fields: `${meta}.FieldsV1`,
  listMeta: `${meta}.ListMeta`,
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  rawExtension: "io.k8s.apimachinery.pkg.runtime.RawExtension",
} as const;

/** Type -> model name, for all types of the table. */
export function modelNames(): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [packageName, types] of Object.entries(packages)) {
    for (const entry of types) {
      const [type = entry, kind = entry] = entry.split("=");
      names.set(type, `${packageName}.${kind}`);
    }
  }
  return names;
}
