/** What `netloom up` is asked for: the fields of a file, and flags, which win. Whatever is wrong is told in one answer. */
import type { ClusterDocument } from "./cluster-document.ts";
import { clusterSettings, flagOf, type SettingType, type SettingValue } from "./cluster-settings.ts";
import { parseDuration } from "./duration.ts";
import { type ClusterOptions, ClusterOptionsError, clusterDefaults, planCluster } from "./plan-cluster.ts";

export interface ClusterRequest {
  readonly options: ClusterOptions;
  /** How long to wait for nodes and DNS; undefined: not at all. */
  readonly waitMs: number | undefined;
}

interface RequestSources {
  /** As on the command line, only those that the user gave, keyed as `clusterSettings`, and "name". */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly document?: ClusterDocument | undefined;
  /** What the document is called in messages. */
  readonly file?: string | undefined;
}

const defaultWaitMs = 60_000;

/** Throws `ClusterOptionsError` with all mistakes: of the file with the fields' paths, of the command line with the flags. */
export function readClusterRequest(sources: RequestSources): ClusterRequest {
  const { flags, document, file } = sources;
  const ofFlags = readFlags(flags);
  const merged: Record<string, unknown> = {
    name: document?.name ?? clusterDefaults.name,
    ...document?.settings,
    ...ofFlags.settings,
  };
  const { wait = defaultWaitMs, ...options } = merged;
  const unreadable = new Set([...(document?.unreadable ?? []), ...ofFlags.unreadable].map(flagOf));
  const mistakes = [
    ...(document?.mistakes ?? []).map((mistake) => `${file}: ${mistake}`),
    ...ofFlags.mistakes,
    ...planMistakes(options)
      // Where a default stands in for what cannot be read, nothing is wrong with that.
      .filter((mistake) => !flagsIn(mistake).some((flag) => unreadable.has(flag)))
      .map((mistake) => withPaths(mistake, sources)),
  ];
  if (mistakes.length > 0) throw new ClusterOptionsError(mistakes);
  return { options, waitMs: wait === 0 ? undefined : (wait as number) };
}

function readFlags(flags: RequestSources["flags"]): Omit<ClusterDocument, "name"> {
  const settings: Record<string, SettingValue> = {};
  const unreadable: string[] = [];
  const mistakes: string[] = [];
  if (typeof flags["name"] === "string") settings["name"] = flags["name"];
  for (const { key, type, offer } of clusterSettings) {
    const value = flags[key];
    if (value === undefined) continue;
    const read = readFlag(type, value as string | boolean);
    if (read === undefined) {
      mistakes.push(`${flagOf(key)} "${value as string}": use ${offer}`);
      unreadable.push(key);
    } else settings[key] = read;
  }
  return { settings, unreadable, mistakes };
}

function readFlag(type: SettingType, value: string | boolean): SettingValue | undefined {
  if (typeof value === "boolean") return value;
  switch (type) {
    case "number":
      return /^\d+$/.test(value) ? Number(value) : undefined;
    case "duration":
      return parseDuration(value);
    case "text":
    case "list":
      return value;
    case "boolean":
      return undefined;
  }
}

function planMistakes(options: ClusterOptions): readonly string[] {
  try {
    planCluster(options, { stateDir: "", runDir: "", toolsDir: "", apiPort: 0, loopbackIndex: 60 });
    return [];
  } catch (error) {
    if (error instanceof ClusterOptionsError) return error.mistakes;
    throw error;
  }
}

const flagPattern = /(--[a-z]+(?:-[a-z]+)*)/;

/** A value may look like a flag, too; then it is taken for one, and only the wording suffers. */
function flagsIn(mistake: string): readonly string[] {
  return mistake.split(flagPattern).filter((_, index) => index % 2 === 1);
}

/** "--pod-cidr" becomes "spec.podCidr" where the file, and no flag, says so, and the file is named. */
function withPaths(mistake: string, { document, flags, file }: RequestSources): string {
  if (document === undefined) return mistake;
  const paths = new Map([
    ...(document.name === undefined || "name" in flags ? [] : [["--name", "metadata.name"] as const]),
    ...clusterSettings
      .filter(({ key }) => key in document.settings && !(key in flags))
      .map(({ key }) => [flagOf(key), `spec.${key}`] as const),
  ]);
  if (!flagsIn(mistake).some((flag) => paths.has(flag))) return mistake;
  return `${file}: ${mistake
    .split(flagPattern)
    .map((part) => paths.get(part) ?? part)
    .join("")}`;
}
