/** What benchmarks share: medians and a table. */
import { cpus } from "node:os";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Markdown, so that it can be put into the docs as it is. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`| ${header.join(" | ")} |`);
  console.log(`|${header.map(() => "---").join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

/** What every figure depends on. */
export function printMachine(rounds: number): void {
  const processor = cpus()[0]?.model ?? "unknown processor";
  console.log(`${rounds} rounds, medians; ${cpus().length} cores, ${processor}, Node ${process.version}\n`);
}
