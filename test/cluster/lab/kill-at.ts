/**
 * Loaded before `netloom` (`node --import`): it dies before its NETLOOM_KILL_AT-th call that changes something. Unharmed, it
 * writes the names of these calls to the file NETLOOM_KILL_NAMES, a line each.
 */
import { writeFileSync } from "node:fs";
import { dieAt, passedNames } from "../../kernel/kill-points/kill-points.ts";

dieAt(Number(process.env["NETLOOM_KILL_AT"]));
process.on("exit", () => {
  const names = passedNames();
  dieAt(Number.POSITIVE_INFINITY);
  writeFileSync(process.env["NETLOOM_KILL_NAMES"] ?? "", `${names.join("\n")}\n`);
});
