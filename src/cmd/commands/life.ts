/** A cluster's life: made, ended. */
import { Option } from "commander";
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
    .addOption(
      new Option("--wait <duration>", "how long to wait for nodes and DNS; 0 does not wait")
        .argParser(duration)
        .default(60_000, '"60s"'),
    )
    .option("--kubeconfig <file>", "the kubeconfig to merge the context into")
    .action(async ({ name, wait, kubeconfig }: { name: string; wait: number; kubeconfig?: string }) => {
      const [{ start }, { exclusively }] = await Promise.all([import("../start.ts"), import("../clusters.ts")]);
      const options = { name, waitMs: wait === 0 ? undefined : wait, kubeconfig };
      await exclusively({ name, command: "start", signal }, async () => await start(options, progress, signal));
    });
  clusterCommand(program, "down", "end a cluster and remove every trace of it")
    .addOption(new Option("-A, --all", "all of your clusters").conflicts("name"))
    .action(async ({ name, all = false }: { name: string; all?: boolean }) => {
      const [{ down, everyCluster }, { exclusively }] = await Promise.all([
        import("../down.ts"),
        import("../clusters.ts"),
      ]);
      for (const one of all ? everyCluster() : [name]) {
        await exclusively({ name: one, command: "down", signal }, async () => await down(one, progress));
      }
    });
};
