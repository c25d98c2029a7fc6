// Finds a Node that runs netloom: the running one from version 24 on, else the one npm brought along.
import { createRequire } from "node:module";

/** The path of a Node of version 24 or newer. Throws with the remedy where there is none. */
export function node24() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  const name = `node-linux-${process.arch}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/bin/node`);
  } catch {
    throw new Error(
      `netloom needs Node 24 and this is ${process.version}; the npm package ${name}, which brings it, is not installed: run "npm install --include=optional", or install Node 24`,
    );
  }
}
