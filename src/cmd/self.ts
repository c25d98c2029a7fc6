/** How this netloom starts itself: bundled (`dist/main.js`) or from source. */
import { fileURLToPath } from "node:url";

const isSource = import.meta.url.endsWith(".ts");
/** The entry: in a bundle all chunks lie beside it. */
const entryFile = fileURLToPath(new URL(isSource ? "../main.ts" : "./main.js", import.meta.url));

export const selfCommand = { node: process.execPath, entry: entryFile } as const;
