/** Looking at clusters: what there is, how it is, what it says. */
import { clusterCommand, type CommandGroup } from "./command-line.ts";

export const addLookCommands: CommandGroup = (program) => {
  clusterCommand(program, "status", "show nodes, processes and addresses").action(
    async ({ name }: { name: string }) => {
      const { status } = await import("../status.ts");
      process.stdout.write(await status(name));
    },
  );
  clusterCommand(program, "logs", "show what the cluster's processes wrote")
    .argument("[component]", "holder, server, agent-1")
    .action(async (component: string | undefined, { name }: { name: string }) => {
      const { logs } = await import("../logs.ts");
      await logs(name, component, process.stdout);
    });
};
