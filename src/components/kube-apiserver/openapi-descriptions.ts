/** The sentences of `kubectl explain`: made by the set-up (scripts/generate-descriptions.ts), not part of the source. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Descriptions } from "../../api/openapi/index.ts";

/** Beside the bundle, or in the folder where the bundle of these sources would lie. */
const places = ["descriptions.json", "../../../dist/descriptions.json"];

/** Empty where the set-up has made none: the documents are complete but for their sentences. */
export function readDescriptions(): Descriptions {
  for (const place of places) {
    try {
      return JSON.parse(readFileSync(join(import.meta.dirname, place), "utf8")) as Descriptions;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return {};
}
