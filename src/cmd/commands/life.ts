/** A cluster's life: made, ended. */
import { clusterCommand, type CommandGroup } from "./command-line.ts";
import { addUpCommand } from "./up.ts";

export const addLifeCommands: CommandGroup = (program, surroundings) => {
  const { progress } = surroundings;
  addUpCommand(program, surroundings);
  clusterCommand(program, "down", "end a cluster and remove every trace of it").action(
    async ({ name }: { name: string }) => {
      const { down } = await import("../down.ts");
      await down(name, progress);
    },
  );
};
