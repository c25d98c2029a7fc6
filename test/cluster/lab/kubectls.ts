/** The kubectls of this machine, oldest first: tests run with each, and say which are missing. */
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";

export interface Kubectl {
  /** "1.20" */
  readonly version: string;
  readonly path: string;
}

/** Folders in which versions lie beside each other; NETLOOM_KUBECTLS names more, separated by colons. */
const folders = [...(process.env["NETLOOM_KUBECTLS"]?.split(":") ?? []), "/usr/lib/google-cloud-sdk/bin"];

function versionOf(path: string): string | undefined {
  // 1.28 removed --short, 1.27 and older print three lines without it.
  const run = spawnSync(path, ["version", "--client", "--output=json"], { encoding: "utf8" });
  return /"gitVersion":\s*"v(\d+\.\d+)/.exec(run.stdout)?.[1];
}

/** One of each version. Empty where the machine has none: then `npm start` fetches Debian's. */
export function kubectls(): readonly Kubectl[] {
  const names = folders.flatMap((folder) => {
    try {
      return readdirSync(folder)
        .filter((name) => /^kubectl(\.1\.\d+)?$/.test(name))
        .map((name) => join(folder, name));
    } catch {
      return [];
    }
  });
  const onPath = (process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "kubectl"));
  const found = new Map<string, Kubectl>();
  for (const path of [...names, ...onPath].filter(isExecutable)) {
    const version = versionOf(path);
    if (version !== undefined && !found.has(version)) found.set(version, { version, path });
  }
  return [...found.values()].toSorted((left, right) => Number(left.version.slice(2)) - Number(right.version.slice(2)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
