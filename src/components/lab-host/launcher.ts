/** What the holder hears from the command that starts the cluster, through the stdin it inherited from the supervisor. */
import type { Readable } from "node:stream";

/** The last word of a start that went well. */
export const startedWord = "started";

/** Resolves to "abandoned" where the command ended, however, without that word. */
export async function followLauncher(stdin: Readable): Promise<"started" | "abandoned"> {
  let said = "";
  for await (const chunk of stdin) {
    said += String(chunk);
    if (said.includes(`${startedWord}\n`)) return "started";
  }
  return "abandoned";
}
