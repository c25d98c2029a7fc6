/** What the kernel holds for a cluster: see README.md. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { countNamespace, inspectNamespace, type NamespaceCounts, type NamespaceReport } from "./inspect-namespace.ts";

export type { NamespaceCounts, NamespaceReport } from "./inspect-namespace.ts";

/** The network namespaces below `folder`. */
interface Wanted {
  readonly folder: string;
  readonly isWanted: (name: string) => boolean;
}

/** A report per namespace, in order of their names. One that ends meanwhile (a pod's) is left out. */
export function inspectNamespaces(wanted: Wanted & { readonly toolsDir: string }): readonly NamespaceReport[] {
  return ofEach(wanted, (path) => inspectNamespace(path, wanted));
}

/** As `inspectNamespaces`, where numbers are enough. */
export function countNamespaces(wanted: Wanted): readonly NamespaceCounts[] {
  return ofEach(wanted, countNamespace);
}

function ofEach<Report>({ folder, isWanted }: Wanted, read: (path: string) => Report): readonly Report[] {
  return readdirSync(folder)
    .filter(isWanted)
    .toSorted()
    .flatMap((name) => {
      try {
        return [read(join(folder, name))];
      } catch (error) {
        if (["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
        throw error;
      }
    });
}
