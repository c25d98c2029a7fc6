/** `npm run bench -- NAME [arguments]`: each benchmark is a file of its own that exports `run(args)` and prints a table. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts" && !file.startsWith("_"))
  .map((file) => file.slice(0, -3))
  .toSorted();

const [name = "", ...args] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(", ")}`);
  process.exit(2);
}
const benchmark = (await import(join(folder, `${name}.ts`))) as { run(args: readonly string[]): Promise<void> };
await benchmark.run(args);
