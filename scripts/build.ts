/**
 * Bundles netloom into `dist/`: one entry, its chunks and the workers' entries beside it, so that a command starts in
 * tens of milliseconds instead of reading hundreds of files. koffi, a native library, stays outside.
 */
import { globSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeDescriptions } from "./generate-descriptions.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** The files that run as threads: those that speak to a parent. */
const workers = globSync("src/**/*worker.ts", { cwd: root }).filter((file) =>
  readFileSync(join(root, file), "utf8").includes("parentPort"),
);
await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts", ...workers],
  outdir: "dist",
  entryNames: "[name]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external: ["koffi"],
  // Its build for browsers is the one made of ECMAScript modules; the other, imported on demand, would lose its names.
  alias: { yaml: join(root, "node_modules/yaml/browser/index.js") },
  // Libraries in CommonJS call require() at run time.
  banner: {
    js: 'import { createRequire as netloomRequire } from "node:module"; const require = netloomRequire(import.meta.url);',
  },
  legalComments: "none",
  logLevel: "warning",
});
removeOldChunks(join(root, "dist"));
await writeDescriptions(join(root, "dist/descriptions.json"));

/**
 * Chunks are named after their content, and those of former builds stay for a day: a running cluster may load one of
 * them only now.
 */
function removeOldChunks(folder: string): void {
  const dayAgo = Date.now() - 24 * 3600 * 1000;
  for (const name of readdirSync(folder).filter((file) => file.startsWith("chunk-"))) {
    const path = join(folder, name);
    if (statSync(path).mtimeMs < dayAgo) rmSync(path);
  }
}
