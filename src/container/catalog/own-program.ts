/** netloom's own program inside containers: its files and the Node that runs it, bound read-only. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mount } from "../runtime.ts";

const nodeInside = "/opt/netloom-node/bin/node";
const folderInside = "/opt/netloom";

const isSource = import.meta.url.endsWith(".ts");
/** The folder of package.json: above `src/container/catalog` or `dist`. */
const packageRoot = join(dirname(fileURLToPath(import.meta.url)), isSource ? "../../.." : "..");
/** Installed, the package lies in a folder node_modules, and its dependencies may lie beside it. */
const isInstalled = basename(dirname(packageRoot)) === "node_modules";
const packageInside = isInstalled ? `${folderInside}/node_modules/${basename(packageRoot)}` : folderInside;

/**
 * The first words of every command: `/opt/netloom-node/bin/node … /opt/netloom/dist/main.js`. The young generation would
 * else grow to 128 MB under load and stay so.
 */
export const ownCommand: readonly string[] = [
  nodeInside,
  "--max-semi-space-size=8",
  `${packageInside}/${isSource ? "src/main.ts" : "dist/main.js"}`,
];

/** Of a clone no more than what runs: not the repository, not its tests. */
export function ownMounts(): readonly Mount[] {
  const node = { source: process.execPath, target: nodeInside, isReadOnly: true };
  if (isInstalled) {
    return [node, { source: dirname(packageRoot), target: dirname(packageInside), isReadOnly: true }];
  }
  const parts = ["package.json", isSource ? "src" : "dist", "node_modules"];
  return [
    node,
    ...parts
      .map((name) => ({ source: join(packageRoot, name), target: `${packageInside}/${name}`, isReadOnly: true }))
      .filter(({ source }) => existsSync(source)),
  ];
}
