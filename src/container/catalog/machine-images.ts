/** Images that are the machine itself, or one of its programs. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lookUpTool, ToolMissingError } from "../../machinery/tools.ts";
import { imageConfig, type CatalogEntry } from "./entry.ts";

const nothing = { mounts: () => [], makeLayer: () => undefined, base: "machine" } as const;

/** Any program of the machine, without an image build. */
export const host: CatalogEntry = {
  ...nothing,
  names: ["docker.io/library/host"],
  version: () => undefined,
  title: "host",
  config: () => imageConfig({ command: ["/bin/sh"] }),
};

export const curl: CatalogEntry = {
  ...nothing,
  names: ["docker.io/curlimages/curl", "quay.io/curl/curl"],
  version({ toolsDir }) {
    if (lookUpTool("curl", toolsDir) !== undefined) return undefined;
    throw new ToolMissingError('Cannot find the program "curl" on this machine: run "apt-get install curl"');
  },
  title: "curl",
  config: () => imageConfig({ entrypoint: ["curl"] }),
};

/** The machine's own distribution, and no other: "debian" on Debian. */
export function distribution(): readonly CatalogEntry[] {
  const release = readRelease();
  const id = release.get("ID");
  if (id !== "debian" && id !== "ubuntu") return [];
  return [
    {
      ...nothing,
      names: [`docker.io/library/${id}`],
      version: () => release.get("VERSION_ID"),
      title: id,
      config: () => imageConfig({ command: ["bash"] }),
      makeLayer: () => undefined,
    },
  ];
}

function readRelease(): ReadonlyMap<string, string> {
  const path = ["/etc/os-release", "/usr/lib/os-release"].find((candidate) => existsSync(join("/", candidate)));
  const lines = path === undefined ? [] : readFileSync(path, "utf8").split("\n");
  return new Map(lines.map((line) => [line.replace(/=.*/, ""), line.replace(/^[^=]*=/, "").replaceAll('"', "")]));
}
