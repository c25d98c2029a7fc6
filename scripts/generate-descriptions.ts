/**
 * Writes what the client's models say of each type and field to `dist/descriptions.json`, from which the API server's
 * OpenAPI documents (and so `kubectl explain`) take their sentences. Part of the set-up, never committed: without the
 * file the documents are complete but for descriptions.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot, readClosure, roots, typeNameOf } from "./client-models.ts";

/** Type name -> field -> sentence; the field "" is the type itself. */
export async function writeDescriptions(file: string): Promise<void> {
  const models = await readClosure(roots);
  const descriptions = Object.fromEntries(
    [...models].map(([className, model]) => [typeNameOf(className), Object.fromEntries(model.descriptions)]),
  );
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(descriptions));
}

if (import.meta.main) await writeDescriptions(join(projectRoot, "dist/descriptions.json"));
