export { keepOwnLogShort } from "./log-file.ts";
export { findPipe, openPipe } from "./pipes.ts";
export { runCommand } from "./run-command.ts";
export { spawnReporting } from "./spawn-reporting.ts";
export { superviseProcess } from "./supervise-process.ts";
export type { SupervisedProcess } from "./supervise-process.ts";
