/**
 * The entry of every process: the user's commands, and the parts of a cluster that start themselves with an internal
 * command. Each loads only what it needs, because start time is part of every answer.
 */
import { useCompileCache } from "./cmd/compile-cache.ts";
import { runInternal } from "./cmd/internal.ts";

useCompileCache();
const [command = "", ...args] = process.argv.slice(2);
const internal = runInternal(command, args);
if (internal !== undefined) await internal;
else {
  const { runProgram } = await import("./cmd/program.ts");
  process.exitCode = await runProgram(process.argv.slice(2));
}
