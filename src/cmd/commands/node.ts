/** `netloom node …`: the machines of a running cluster. */
import type { NodeChange } from "../../model/node-roster/index.ts";
import type { NodeListFormat } from "../node-list.ts";
import { clusterCommand, type CommandGroup, formatOption } from "./command-line.ts";

export const addNodeCommands: CommandGroup = (program, { progress }) => {
  const node = program
    .command("node")
    .description("list nodes, switch them off and on, add and delete them")
    .exitOverride();
  const change = async (cluster: string, wanted: NodeChange): Promise<void> => {
    const { changeNodes } = await import("../node.ts");
    await changeNodes(cluster, wanted, progress);
  };
  clusterCommand(node, "list", "list the nodes, those that are off too")
    .alias("ls")
    .addOption(formatOption(["table", "name", "json", "yaml"]))
    .action(async ({ name, output }: { name: string; output: NodeListFormat }) => {
      const { listNodes } = await import("../node-list.ts");
      process.stdout.write(await listNodes(name, output));
    });
  clusterCommand(node, "stop", "switch a node off; its pods are told to the API as ended, and replaced")
    .argument("<node>", "its name")
    .option("--power-cut", "as if its plug were pulled: the cluster notices by itself after 40 s")
    .action(async (name: string, { name: cluster, powerCut }: { name: string; powerCut?: boolean }) => {
      await change(cluster, { action: "stop", name, isPowerCut: powerCut === true });
    });
  clusterCommand(node, "start", "switch a stopped node on again")
    .argument("<node>", "its name")
    .action(async (name: string, { name: cluster }: { name: string }) => {
      await change(cluster, { action: "start", name });
    });
  clusterCommand(node, "add", "add a node to the running cluster")
    .argument("[node]", "its name; the next free one where absent")
    .action(async (name: string | undefined, { name: cluster }: { name: string }) => {
      await change(cluster, { action: "add", ...(name === undefined ? {} : { name }) });
    });
  clusterCommand(node, "delete", "switch a node off for good and take it and its pods out of the API")
    .argument("<node>", "its name")
    .action(async (name: string, { name: cluster }: { name: string }) => {
      await change(cluster, { action: "delete", name });
    });
};
