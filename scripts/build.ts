/**
 * Bundles netloom into `dist/`: one entry, its chunks and the workers' entries beside it, so that a command starts in
 * tens of milliseconds instead of reading hundreds of files. koffi, a native library, stays outside.
 */
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeDescriptions } from "./generate-descriptions.ts";
import { withLeanBuiltins } from "./lean-builtins.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** The files that run as threads: those that speak to a parent. */
const workers = globSync("src/**/*worker.ts", { cwd: root }).filter((file) =>
  readFileSync(join(root, file), "utf8").includes("parentPort"),
);
const requireBanner =
  'import { createRequire as netloomRequire } from "node:module"; const require = netloomRequire(import.meta.url);';
const { metafile, outputFiles } = await build({
  write: false,
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
  banner: { js: requireBanner },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});
mkdirSync(join(root, "dist"), { recursive: true });
for (const { path, text } of outputFiles) {
  const body = text.replace(`${requireBanner}\n`, "");
  writeFileSync(path, withLeanBuiltins(/\brequire\b/.test(body) ? text : body));
}
rmSync(join(root, "dist/.compile-cache"), { recursive: true, force: true });
removeOldChunks(join(root, "dist"), process.argv.includes("--only-this") ? 0 : 24 * 3600 * 1000);
writeLicenses();
await writeDescriptions(join(root, "dist/descriptions.json"));

/** The libraries in the bundle ask that their licences travel with them. */
function writeLicenses(): void {
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap(
      (path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
    ),
  );
  const parts = [...packages].toSorted().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      readonly version: string;
      readonly license: string;
    };
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  writeFileSync(join(root, "dist/LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
}

/**
 * Chunks are named after their content, and those of former builds stay for a day: a running cluster may load one of
 * them only now. A package (`--only-this`) has none of them.
 */
function removeOldChunks(folder: string, olderThanMs: number): void {
  const current = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  const limit = Date.now() - olderThanMs;
  for (const name of readdirSync(folder).filter((file) => file.startsWith("chunk-") && !current.has(file))) {
    const path = join(folder, name);
    if (statSync(path).mtimeMs <= limit) rmSync(path);
  }
}
