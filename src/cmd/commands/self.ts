/** About netloom itself. */
import { type CommandGroup, formatOption } from "./command-line.ts";

export const addSelfCommands: CommandGroup = (program, { setExitCode }) => {
  program
    .command("doctor")
    .description("examine this machine: what a cluster needs, what is missing, and what to do about it")
    .addOption(formatOption(["table", "json", "yaml"]))
    .exitOverride()
    .action(async ({ output }: { output: "table" | "json" | "yaml" }) => {
      const { doctor } = await import("../doctor.ts");
      const { text, isWell } = await doctor(output);
      process.stdout.write(text);
      setExitCode(isWell ? 0 : 1);
    });
  program
    .command("version")
    .description("print the version")
    .action(async () => {
      const { version } = await import("../version.ts");
      process.stdout.write(`${version()}\n`);
    });
};
