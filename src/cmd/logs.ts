/** `netloom logs [COMPONENT]`: what the processes of a cluster wrote. */
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { clusterPaths } from "../model/cluster-config.ts";
import { clusterFolders, CommandError } from "./clusters.ts";

/** Writes one component's log, or all of them one after the other, to `output`. */
export async function logs(name: string, component: string | undefined, output: NodeJS.WritableStream): Promise<void> {
  const folder = clusterPaths(clusterFolders(name)).logs;
  const known = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(".log"))
        .map((file) => file.slice(0, -4))
        .toSorted()
    : [];
  if (known.length === 0) throw new CommandError(`There are no logs of a cluster "${name}": it is not there`);
  if (component !== undefined && !known.includes(component)) {
    throw new CommandError(`There is no component "${component}": choose one of ${known.join(", ")}`);
  }
  for (const one of component === undefined ? known : [component]) {
    await pipeline(createReadStream(join(folder, `${one}.log`)), output, { end: false });
  }
}
