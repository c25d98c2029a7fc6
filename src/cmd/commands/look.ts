/** Looking at clusters: what there is, how it is, what it says. */
import { Option } from "commander";
import { clusterCommand, type CommandGroup, formatOption, wholeNumber } from "./command-line.ts";
import type { ListFormat } from "../list.ts";
import type { StatusFormat } from "../status.ts";

export const addLookCommands: CommandGroup = (program, { signal, progress }) => {
  program
    .command("list")
    .alias("ls")
    .description("list your clusters, running or not")
    .addOption(formatOption(["table", "name", "json", "yaml"]))
    .exitOverride()
    .action(async ({ output }: { output: ListFormat }) => {
      const { list } = await import("../list.ts");
      process.stdout.write(await list(output));
    });
  clusterCommand(program, "status", "show nodes, processes, addresses, and with -o wide what the kernel holds")
    .addOption(formatOption(["table", "wide", "json", "yaml"]))
    .action(async ({ name, output }: { name: string; output: StatusFormat }) => {
      const { status } = await import("../status.ts");
      process.stdout.write(await status(name, output));
    });
  clusterCommand(program, "logs", "show what the cluster's own processes wrote (a pod's output: kubectl logs)")
    .argument("[component]", "holder, server, agent-1, audit; all where absent")
    .option("-f, --follow", "go on as more is written")
    .option("--tail <lines>", "only the last lines", wholeNumber)
    .action(
      async (component: string | undefined, options: { name: string; follow?: true; tail?: number }): Promise<void> => {
        const { logs } = await import("../logs.ts");
        const { name, follow = false, tail } = options;
        await logs({ name, component, isFollowed: follow, tail, output: process.stdout, signal });
      },
    );
  clusterCommand(program, "events", "show what happened in the cluster, oldest first")
    .option("-n, --namespace <namespace>", "only those of one namespace")
    .addOption(new Option("-w, --watch", "go on with what happens next"))
    .addOption(formatOption(["table", "json", "yaml"]))
    .action(async (options: { name: string; namespace?: string; watch?: true; output: "table" | "json" | "yaml" }) => {
      const { events } = await import("../events.ts");
      const { name, namespace, watch = false, output } = options;
      const say = (message: string): void => progress.say(message);
      await events({ name, namespace, isWatched: watch, format: output, output: process.stdout, say, signal });
    });
  const exported = program
    .command("export")
    .description("write down what is needed to understand a cluster")
    .exitOverride();
  clusterCommand(exported, "logs", "write a support bundle: objects without secrets, rule sets, routes, logs, versions")
    .argument("[folder]", "a new or empty folder; one among the temporary files where absent")
    .action(async (wanted: string | undefined, { name }: { name: string }) => {
      const { exportLogs } = await import("../export-logs.ts");
      const { folder, paths } = await exportLogs(name, wanted);
      progress.done("support bundle", `${paths.length} files and folders in ${folder}; README.txt says what is where`);
    });
};
