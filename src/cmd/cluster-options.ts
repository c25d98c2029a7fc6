/** What `netloom up` is asked for: the file given with -f, and flags, which win. */
import { readFileSync } from "node:fs";
import {
  type ClusterDocument,
  ClusterOptionsError,
  clusterDefaults,
  clusterSettings,
  flagOf,
  readClusterDocument,
} from "../model/cluster-plan/index.ts";
import { CommandError } from "./clusters.ts";
import type { UpOptions } from "./up.ts";

export interface UpRequest {
  readonly options: UpOptions;
  /** In the words of whoever set the value: a mistake in the file is told with the field's path. */
  explain(error: unknown): unknown;
}

const defaultWaitMs = 60_000;

/** @param flags - Only those that the user gave, keyed as `clusterSettings`; `file` "-" is standard input. */
export async function readUpRequest(
  flags: Readonly<Record<string, unknown>>,
  file: string | undefined,
): Promise<UpRequest> {
  const document: ClusterDocument = file === undefined ? { settings: {} } : await readDocument(file);
  const merged: Record<string, unknown> = {
    name: document.name ?? clusterDefaults.name,
    ...document.settings,
    ...flags,
  };
  const { wait = defaultWaitMs, ...options } = merged;
  return {
    options: { ...options, waitMs: wait === 0 ? undefined : (wait as number) },
    explain: (error) => {
      if (!(error instanceof ClusterOptionsError) || file === undefined) return error;
      return new ClusterOptionsError(error.mistakes.map((mistake) => withPaths(mistake, { document, flags, file })));
    },
  };
}

/** "--pod-cidr" becomes "spec.podCidr in FILE" where the file, and no flag, says so. */
function withPaths(
  mistake: string,
  from: {
    readonly document: ClusterDocument;
    readonly flags: Readonly<Record<string, unknown>>;
    readonly file: string;
  },
): string {
  const ofFile: readonly (readonly [flag: string, path: string])[] = [
    ...(from.document.name === undefined || "name" in from.flags ? [] : [["--name", "metadata.name"] as const]),
    ...clusterSettings
      .filter(({ key }) => key in from.document.settings && !(key in from.flags))
      .map(({ key }) => [flagOf(key), `spec.${key}`] as const),
  ];
  const words = mistake.split(/(--[a-z-]+)/);
  let isChanged = false;
  const translated = words.map((word) => {
    const path = ofFile.find(([flag]) => flag === word)?.[1];
    isChanged ||= path !== undefined;
    return path ?? word;
  });
  return isChanged ? `${from.file}: ${translated.join("")}` : mistake;
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
  try {
    return readClusterDocument(value);
  } catch (error) {
    if (!(error instanceof ClusterOptionsError)) throw error;
    throw new ClusterOptionsError(error.mistakes.map((mistake) => `${file}: ${mistake}`));
  }
}
