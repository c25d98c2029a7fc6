/**
 * Bundles netloom into `dist/`: one entry, its chunks and the workers' entries beside it, so that a command starts in
 * tens of milliseconds instead of reading hundreds of files. koffi, a native library, stays outside.
 */
import { globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeDescriptions } from "./generate-descriptions.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts", ...globSync("src/**/*{-,.}worker.ts", { cwd: root })],
  outdir: "dist",
  entryNames: "[name]",
  chunkNames: "chunk-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node24",
  external: ["koffi"],
  // Libraries in CommonJS call require() at run time.
  banner: {
    js: 'import { createRequire as netloomRequire } from "node:module"; const require = netloomRequire(import.meta.url);',
  },
  legalComments: "none",
  logLevel: "warning",
});
await writeDescriptions(join(root, "dist/descriptions.json"));
