/** How this netloom starts itself: bundled (`dist/main.js`) or from source. */
import { fileURLToPath } from "node:url";

const isSource = import.meta.url.endsWith(".ts");
/** The entry: in a bundle all chunks lie beside it. */
const entryFile = fileURLToPath(new URL(isSource ? "../main.ts" : "./main.js", import.meta.url));

export const selfCommand = { node: process.execPath, entry: entryFile } as const;

/**
 * Flags for the processes that stay. Node's own limit lets the young generation of an isolate grow to 128 MB, which is never
 * given back while it works; with 16 MB it works no slower. `--expose-gc`: they collect when they have come to rest.
 */
export const residentFlags = ["--max-semi-space-size=8", "--expose-gc"] as const;
