/** Using a cluster: from its nodes, from scripts, as a newcomer. */
import { clusterCommand, type CommandGroup, formatOption } from "./command-line.ts";

export const addUseCommands: CommandGroup = (program, { setExitCode }) => {
  clusterCommand(program, "exec", "run a command on a node: netloom exec node-1 -- curl …")
    .argument("<node>", 'a node, or "outside" for the client beyond the cluster')
    .argument("[command...]", "the command line; a shell where absent")
    .passThroughOptions(false)
    .action(async (node: string, words: string[], { name }: { name: string }) => {
      const { exec } = await import("../exec.ts");
      setExitCode(await exec({ name, node, words }));
    });
  clusterCommand(program, "ports", "show which addresses of this host lead to which Services")
    .option("-n, --namespace <namespace>", "only Services of one namespace")
    .addOption(formatOption(["table", "json", "yaml"]))
    .action(async (options: { name: string; namespace?: string; output: "table" | "json" | "yaml" }) => {
      const { ports } = await import("../ports.ts");
      const { name, namespace, output } = options;
      process.stdout.write(await ports({ name, namespace, format: output }));
    });
  clusterCommand(program, "expose", "give a Service a port of this host: netloom expose service/web 8080")
    .argument("<service>", "service/NAME")
    .argument("<port>", "a port of 127.0.0.1; PORT:SERVICE-PORT where the Service has several")
    .option("-n, --namespace <namespace>", "the Service's namespace", "default")
    .option("--remove", "take the port from it again")
    .action(
      async (
        target: string,
        port: string,
        options: { name: string; namespace: string; remove?: true },
      ): Promise<void> => {
        const { expose } = await import("../expose.ts");
        const { name, namespace, remove = false } = options;
        process.stdout.write(await expose({ name, namespace, target, port, isRemoved: remove }));
      },
    );
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
