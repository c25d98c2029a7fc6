/** A cluster's life: made, ended. */
import { clusterCommand, type CommandGroup, duration } from "./command-line.ts";
import { addUpCommand } from "./up.ts";

export const addLifeCommands: CommandGroup = (program, surroundings) => {
  const { progress, signal } = surroundings;
  addUpCommand(program, surroundings);
  clusterCommand(program, "stop", "end a cluster's processes and keep everything else").action(
    async ({ name }: { name: string }) => {
      const [{ stop }, { exclusively }] = await Promise.all([import("../stop.ts"), import("../clusters.ts")]);
      await exclusively({ name, command: "stop", signal }, async () => await stop(name, progress));
    },
  );
  clusterCommand(program, "start", "start a stopped cluster: objects and Service addresses are as before")
    .option("--wait <duration>", "how long to wait for nodes and DNS; 0 does not wait", duration, 60_000)
    .option("--kubeconfig <file>", "the kubeconfig to merge the context into")
    .action(async ({ name, wait, kubeconfig }: { name: string; wait: number; kubeconfig?: string }) => {
      const [{ start }, { exclusively }] = await Promise.all([import("../start.ts"), import("../clusters.ts")]);
      const options = { name, waitMs: wait === 0 ? undefined : wait, kubeconfig };
      await exclusively({ name, command: "start", signal }, async () => await start(options, progress, signal));
    });
  clusterCommand(program, "down", "end a cluster and remove every trace of it").action(
    async ({ name }: { name: string }) => {
      const [{ down }, { exclusively }] = await Promise.all([import("../down.ts"), import("../clusters.ts")]);
      await exclusively({ name, command: "down", signal }, async () => await down(name, progress));
    },
  );
};
