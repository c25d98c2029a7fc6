/** About netloom itself. */
import type { CommandGroup } from "./command-line.ts";

export const addSelfCommands: CommandGroup = (program) => {
  program
    .command("version")
    .description("print the version")
    .action(async () => {
      const { version } = await import("../version.ts");
      process.stdout.write(`${version()}\n`);
    });
};
