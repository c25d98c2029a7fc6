/** Looking at clusters: what there is, how it is, what it says. */
import { Option } from "commander";
import { clusterCommand, type CommandGroup, duration, formatOption, wholeNumber } from "./command-line.ts";
import type { ListFormat } from "../list.ts";
import { type LogLevel, logLevels } from "../../model/cluster-config.ts";
import type { StatusFormat } from "../status.ts";

interface LogsFlags {
  readonly name: string;
  readonly follow?: true;
  readonly tail?: number;
  readonly since?: number;
  readonly level: LogLevel;
  readonly output: "text" | "json";
}

interface EventsFlags {
  readonly name: string;
  readonly namespace?: string;
  readonly types?: readonly string[];
  readonly for?: string;
  readonly watch?: true;
  readonly output: "table" | "json" | "yaml";
}

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
    .argument("[component]", "holder, server, agent-1, audit; all but audit where absent")
    .option("-f, --follow", "go on as more is written")
    .option("--tail <lines>", "only the last lines", wholeNumber)
    .option("--since <duration>", "only what is newer than that: 30s, 5m, 2h", duration)
    .addOption(
      new Option("--level <level>", "only what is as grave as that").choices(logLevels).default("debug" as const),
    )
    .addOption(formatOption(["text", "json"]))
    .action(async (component: string | undefined, options: LogsFlags): Promise<void> => {
      const { logs } = await import("../logs.ts");
      const { name, follow = false, tail, since, level, output: format } = options;
      const sinceMs = since === undefined ? undefined : Date.now() - since;
      const what = { name, component, tail, sinceMs, level, format };
      await logs({ ...what, isFollowed: follow, output: process.stdout, signal });
    });
  clusterCommand(program, "events", "show what happened in the cluster, oldest first")
    .option("-n, --namespace <namespace>", "only those of one namespace")
    .option("--types <types>", "only those of some types: Warning, Normal", (text) => text.split(","))
    .option("--for <object>", "only those of one object, such as pod/web")
    .option("-w, --watch", "go on with what happens next")
    .addOption(formatOption(["table", "json", "yaml"]))
    .action(async (options: EventsFlags) => {
      const { events } = await import("../events.ts");
      const { name, namespace, types, for: about, watch = false, output: format } = options;
      const say = (message: string): void => progress.say(message);
      const what = { name, namespace, types, about, format };
      await events({ ...what, isWatched: watch, output: process.stdout, say, signal });
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
