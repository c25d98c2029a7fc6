/** What `netloom up` is asked for: the file given with -f, and flags, which win. */
import { readFileSync } from "node:fs";
import { type ClusterDocument, readClusterDocument, readClusterRequest } from "../model/cluster-plan/index.ts";
import { CommandError } from "./clusters.ts";
import type { UpOptions } from "./up.ts";

/**
 * Throws `ClusterOptionsError` with all mistakes of both, and `CommandError` where the file is none.
 *
 * @param flags - Only those that the user gave, keyed as `clusterSettings`; `file` "-" is standard input.
 */
export async function readUpOptions(
  flags: Readonly<Record<string, unknown>>,
  file: string | undefined,
): Promise<UpOptions> {
  const document = file === undefined ? undefined : await readDocument(file);
  const { options, waitMs } = readClusterRequest({ flags, document, file });
  return { ...options, waitMs };
}

async function readDocument(file: string): Promise<ClusterDocument> {
  // Only this command, with this option, needs the parser.
  const { parse } = await import("yaml");
  let value: unknown;
  try {
    value = parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new CommandError(`Cannot read the configuration "${file}": ${(error as Error).message.trim()}`, {
      cause: error,
    });
  }
  return readClusterDocument(value);
}
