export { CommandError, runCommand } from "./run-command.ts";
export type { CommandResult, RunCommandOptions } from "./run-command.ts";
export { ProcessEndedError, superviseProcess } from "./supervise-process.ts";
export type { ProcessExit, SupervisedProcess, SuperviseProcessOptions } from "./supervise-process.ts";
