/** Using a cluster: from its nodes, from scripts, as a newcomer. */
import { clusterCommand, type CommandGroup } from "./command-line.ts";

export const addUseCommands: CommandGroup = (program, { setExitCode }) => {
  clusterCommand(program, "exec", "run a command on a node: netloom exec node-1 -- curl …")
    .argument("<node>", 'a node, or "outside" for the client beyond the cluster')
    .argument("[command...]", "the command line; a shell where absent")
    .passThroughOptions(false)
    .action(async (node: string, words: string[], { name }: { name: string }) => {
      const { exec } = await import("../exec.ts");
      setExitCode(await exec({ name, node, words }));
    });
  clusterCommand(program, "kubeconfig", "print the administrator's kubeconfig").action(
    async ({ name }: { name: string }) => {
      const { kubeconfig } = await import("../kubeconfig.ts");
      process.stdout.write(kubeconfig(name));
    },
  );
  clusterCommand(program, "tour", "walk through Services with the real kubectl").action(
    async ({ name }: { name: string }) => {
      const { tour } = await import("../tour.ts");
      await tour(name);
    },
  );
};
