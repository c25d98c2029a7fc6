/**
 * Bundles netloom into `dist/`: one entry, its chunks and the workers' entries beside it, so that a command starts in
 * tens of milliseconds instead of reading hundreds of files. koffi, a native library, stays outside.
 */
import { globSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeDescriptions } from "./generate-descriptions.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** The files that run as threads: those that speak to a parent. */
const workers = globSync("src/**/*worker.ts", { cwd: root }).filter((file) =>
  readFileSync(join(root, file), "utf8").includes("parentPort"),
);
rmSync(join(root, "dist"), { recursive: true, force: true });
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
await writeDescriptions(join(root, "dist/descriptions.json"));
