/** What `netloom up` is asked for: the file given with -f, and flags, which win. */
import { readFileSync } from "node:fs";
import { type ClusterDocument, readClusterDocument, readClusterRequest } from "../model/cluster-plan/index.ts";
import { CommandError } from "./clusters.ts";
import { reasonOf } from "./file-reasons.ts";
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
  const refusal = (reason: string, cause?: unknown): CommandError =>
    new CommandError(`Cannot read the configuration "${file}": ${reason}`, { cause });
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw refusal(reasonOf(error), error);
  }
  let values: readonly unknown[];
  try {
    values = await parseDocuments(text);
  } catch (error) {
    throw refusal((error as Error).message.trim(), error);
  }
  // What follows a last "---" is none.
  const [value = null, ...others] = values.filter((one, index) => index === 0 || one !== null);
  if (others.length === 0) return readClusterDocument(value);
  throw refusal(`it holds ${others.length + 1} documents; a file is one cluster, give each its own`);
}

/** What the parser merely warns of, such as a tag it does not know, would give another value than is written there. */
async function parseDocuments(text: string): Promise<readonly unknown[]> {
  // Only this command, with this option, needs the parser.
  const { parseAllDocuments } = await import("yaml");
  return [...parseAllDocuments(text)].map((document) => {
    const [mistake] = [...document.errors, ...document.warnings];
    if (mistake !== undefined) throw mistake;
    return document.toJS() as unknown;
  });
}
