/** `netloom up`: a flag for each setting of a cluster, and the file that sets them all. */
import { Option } from "commander";
import { clusterDefaults, type ClusterSetting, clusterSettings, flagOf } from "../../model/cluster-plan/index.ts";
import type { CommandGroup } from "./command-line.ts";

export const addUpCommand: CommandGroup = (program, { progress, signal }) => {
  const command = program
    .command("up")
    .description("make a cluster and wait until it serves")
    // Without commander's defaults, so that what the user gave is known from what he left to the file.
    .option("--name <name>", `the cluster's name (default: "${clusterDefaults.name}")`)
    .option("-f, --filename <file>", "a configuration file (kind Cluster); flags win over it; - reads standard input")
    .exitOverride();
  for (const setting of clusterSettings) command.addOption(optionOf(setting));
  command.action(async ({ filename, ...flags }: Record<string, unknown>) => {
    const [{ readUpOptions }, { up }, { exclusively }] = await Promise.all([
      import("../cluster-options.ts"),
      import("../up.ts"),
      import("../clusters.ts"),
    ]);
    const options = await readUpOptions(flags, filename as string | undefined);
    const name = options.name ?? clusterDefaults.name;
    await exclusively({ name, command: "up", signal }, async () => await up(options, progress, signal));
  });
};

/** Values are read where all mistakes can be told together, and not here one by one. */
function optionOf({ key, value, type, help, choices, fallback }: ClusterSetting): Option {
  const description = fallback === undefined ? help : `${help} (default: ${JSON.stringify(fallback)})`;
  const option = new Option(type === "boolean" ? flagOf(key) : `${flagOf(key)} <${value}>`, description);
  // For help and completion; commander's own check would speak first, and of this mistake only.
  if (choices !== undefined) option.argChoices = [...choices];
  return option;
}
