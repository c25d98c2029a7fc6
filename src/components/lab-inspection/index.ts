/** What the kernel holds for a cluster: see README.md. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { inspectNamespace, type NamespaceReport } from "./inspect-namespace.ts";

export type { NamespaceReport } from "./inspect-namespace.ts";

/**
 * A report per network namespace below `folder` that `isWanted`, in order of their names. One that ends meanwhile (a
 * pod's) is left out.
 */
export function inspectNamespaces(options: {
  readonly folder: string;
  readonly toolsDir: string;
  readonly isWanted: (name: string) => boolean;
}): readonly NamespaceReport[] {
  return readdirSync(options.folder)
    .filter(options.isWanted)
    .toSorted()
    .flatMap((name) => {
      try {
        return [inspectNamespace(join(options.folder, name), options)];
      } catch (error) {
        if (["ENOENT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
        throw error;
      }
    });
}
