/** `netloom completion SHELL`: a script that asks netloom itself what may follow, names of clusters and nodes included. */
import type { Command, Option } from "commander";
import { hostFolders, knownClusters } from "../components/lab-host/index.ts";
import { clusterDefaults } from "../model/cluster-plan/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";
import { clusterFolders } from "./clusters.ts";
import { components } from "./logs.ts";

type Shell = "bash" | "zsh" | "fish";

/** To be sourced: `source <(netloom completion bash)`, or `netloom completion fish | source`. */
export const completionScript: Readonly<Record<Shell, string>> = {
  bash: `_netloom() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(netloom __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _netloom netloom
`,
  zsh: `#compdef netloom
_netloom() {
  local -a answers
  answers=("\${(@f)$(netloom __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${answers[1]}" ]]; then compadd -a answers; else _files; fi
}
compdef _netloom netloom
`,
  fish: `function __netloom_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l begun (commandline -ct)
  netloom __complete $words "$begun" 2>/dev/null
end
complete -c netloom -a '(__netloom_complete)'
`,
};

/**
 * What may stand in the place of the last of `words` (which may be empty, or begun), a candidate each. Empty: nothing is
 * known, the shell offers files.
 */
export function complete(program: Command, words: readonly string[]): readonly string[] {
  const begun = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  let command = program;
  const given: string[] = [];
  for (const word of before) {
    const child =
      given.length > 0 ? undefined : command.commands.find((one) => [one.name(), ...one.aliases()].includes(word));
    if (child === undefined) {
      if (!word.startsWith("-")) given.push(word);
    } else command = child;
  }
  const option = findOption(command, before.at(-1));
  const candidates =
    option !== undefined && !option.isBoolean()
      ? valuesOf(option)
      : begun.startsWith("-")
        ? command.options.flatMap(({ long, hidden }) => (long === undefined || long === null || hidden ? [] : [long]))
        : [...namesOf(command), ...argumentsOf(command, { before, given })];
  return candidates.filter((candidate) => candidate.startsWith(begun));
}

const findOption = (command: Command, flag: string | undefined): Option | undefined =>
  flag?.startsWith("-") === true
    ? command.options.find(({ long, short }) => long === flag || short === flag)
    : undefined;

function valuesOf(option: Option): readonly string[] {
  if (option.argChoices !== undefined) return option.argChoices;
  return option.long === "--name" ? knownClusters(hostFolders()) : [];
}

/** `help` is commander's own; what begins with underscores is between the scripts and us. */
const namesOf = (command: Command): readonly string[] =>
  command.commands.length === 0
    ? []
    : [...command.commands.map((one) => one.name()).filter((name) => !name.startsWith("__")), "help"];

function argumentsOf(
  command: Command,
  { before, given }: { readonly before: readonly string[]; readonly given: readonly string[] },
): readonly string[] {
  const named = before.indexOf("--name");
  const cluster = (named === -1 ? undefined : before[named + 1]) ?? clusterDefaults.name;
  // A value of --name counts among the words that were given.
  const position = given.filter((word) => word !== cluster || named === -1).length;
  const argument = command.registeredArguments[position];
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices;
  try {
    const folders = clusterFolders(cluster);
    if (argument.name() === "component") {
      return components(clusterPaths(folders).logs);
    }
    if (argument.name() === "node") {
      const nodes = readClusterFile(clusterPaths(folders).config).nodes.map(({ name }) => name);
      return command.name() === "exec" ? [...nodes, "outside"] : nodes;
    }
  } catch {
    // There is no such cluster: nothing to offer.
  }
  return [];
}
