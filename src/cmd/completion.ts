/** `netloom __complete WORDS`: what may follow on a command line, names of clusters, nodes and Services included. */
import type { Argument, Command, Option } from "commander";
import { resources } from "../api/resources.ts";
import { hostFolders, knownClusters } from "../components/lab-host/index.ts";
import { clusterDefaults } from "../model/cluster-plan/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { asAdministrator } from "./admin-client.ts";
import { readRoster } from "./cluster-file.ts";
import { clusterFolders, runningCluster } from "./clusters.ts";
import { filesMark } from "./completion-scripts.ts";
import { components } from "./logs.ts";

export interface Candidate {
  readonly text: string;
  /** What fish and zsh show beside it; "" where there is nothing to say. */
  readonly description: string;
}

/** What the words before the one that is completed come to. */
interface Line {
  readonly command: Command;
  /** Its arguments so far. */
  readonly given: readonly string[];
  /** Values of its options by their long flags; "" for those without one. */
  readonly flags: ReadonlyMap<string, string>;
  /** The option whose value comes next. */
  readonly open: Option | undefined;
}

/**
 * What may stand in the place of the last of `words` (which may be empty, or begun), best first; one of them may be
 * `filesMark`. Empty: nothing is known.
 */
export async function complete(program: Command, words: readonly string[]): Promise<readonly Candidate[]> {
  const begun = words.at(-1) ?? "";
  const line = readLine(program, words.slice(0, -1));
  const isBegun = ({ text }: Candidate): boolean => text.startsWith(begun) || text === filesMark;
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(begun) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = line.command.options.find(({ long }) => long === flag);
    const values = option === undefined ? [] : await valuesOf(option, line);
    return values.map((one) => ({ ...one, text: `${flag}=${one.text}` })).filter(isBegun);
  }
  if (line.open !== undefined) return (await valuesOf(line.open, line)).filter(isBegun);
  if (line.command.name() === "exec" && line.given.length > 0) return [{ text: filesMark, description: "" }];
  const candidates = begun.startsWith("-") ? flagsOf(line) : [...namesOf(line), ...(await argumentsOf(line))];
  return candidates.filter(isBegun);
}

function readLine(program: Command, words: readonly string[]): Line {
  let command = program;
  const given: string[] = [];
  const flags = new Map<string, string>();
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      flags.set(open.long ?? "", word);
      open = undefined;
    } else if (word.startsWith("-")) {
      const [flag = "", value] = word.split(/=(.*)/s);
      const option = command.options.find(({ long, short }) => long === flag || short === flag);
      flags.set(option?.long ?? flag, value ?? "");
      if (option !== undefined && !option.isBoolean() && value === undefined) open = option;
    } else {
      const child = given.length > 0 ? undefined : childOf(command, word);
      if (child === undefined) given.push(word);
      else command = child;
    }
  }
  return { command, given, flags, open };
}

const childOf = (command: Command, name: string): Command | undefined =>
  command.commands.find((one) => [one.name(), ...one.aliases()].includes(name));

const bare = (text: string): Candidate => ({ text, description: "" });
const files: readonly Candidate[] = [bare(filesMark)];

async function valuesOf(option: Option, line: Line): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map(bare);
  switch (option.long ?? "") {
    case "--name":
      return knownClusters(hostFolders()).map(bare);
    case "--namespace":
      return await namesInCluster(line, async (client) => await client.list(resources.namespaces));
    case "--types":
      return ["Warning", "Normal"].map(bare);
    case "--filename":
    case "--kubeconfig":
      return files;
    default:
      return [];
  }
}

/** Those that were not given yet. */
function flagsOf({ command, flags }: Line): readonly Candidate[] {
  const options = command.options.filter(({ long, hidden }) => typeof long === "string" && !hidden && !flags.has(long));
  return [
    ...options.map(({ long, description }) => ({ text: long ?? "", description })),
    { text: "--help", description: "explain the command" },
  ];
}

/** What begins with underscores is between the scripts and us; `help` of a group is commander's own. */
function namesOf({ command, given }: Line): readonly Candidate[] {
  if (command.commands.length === 0 || given.length > 0) return [];
  const children = command.commands.filter((one) => !one.name().startsWith("__"));
  const own = children.some((one) => one.name() === "help") ? [] : [bare("help")];
  return [...children.map((one) => ({ text: one.name(), description: one.description() })), ...own];
}

async function argumentsOf(line: Line): Promise<readonly Candidate[]> {
  const { command, given } = line;
  const known = command.registeredArguments;
  const argument = known[given.length] ?? (known.at(-1)?.variadic === true ? known.at(-1) : undefined);
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices.map(bare);
  try {
    return await namesFor(argument, line);
  } catch {
    // There is no such cluster, or it does not answer: nothing to offer.
    return [];
  }
}

const clusterOf = ({ flags }: Line): string => flags.get("--name") ?? clusterDefaults.name;

async function namesFor(argument: Argument, line: Line): Promise<readonly Candidate[]> {
  const cluster = clusterOf(line);
  switch (argument.name()) {
    case "command":
      return helpTopics(line);
    case "component":
      return components(clusterPaths(clusterFolders(cluster)).logs).map(bare);
    case "node":
      return nodesFor(line.command.name(), cluster);
    case "service": {
      const namespace = line.flags.get("--namespace") ?? "default";
      const services = await namesInCluster(
        line,
        async (client) => await client.list(resources.services, { namespace }),
      );
      return services.map(({ text }) => bare(`service/${text}`));
    }
    case "image": {
      const { createImageStore } = await import("../container/index.ts");
      const images = createImageStore(clusterFolders(cluster)).list();
      return images.filter(({ source }) => source === "archive").map(({ name }) => bare(name));
    }
    case "files":
    case "folder":
      return files;
    default:
      return [];
  }
}

/** Of what `netloom help` explains. */
function helpTopics({ command, given }: Line): readonly Candidate[] {
  let topic = command.parent ?? undefined;
  for (const word of given) topic = topic === undefined ? undefined : childOf(topic, word);
  if (topic === undefined) return [];
  return namesOf({ command: topic, given: [], flags: new Map(), open: undefined }).filter(
    ({ text }) => text !== "help",
  );
}

/** Those that can be started or stopped; a new one's name is the user's to choose. */
function nodesFor(command: string, cluster: string): readonly Candidate[] {
  if (command === "add") return [];
  const { config } = runningCluster(cluster);
  const wanted = command === "start" ? "stopped" : command === "stop" ? "running" : undefined;
  const nodes = readRoster(config).filter((entry) =>
    wanted === undefined ? entry.wanted !== "deleted" : entry.wanted === wanted,
  );
  const names = nodes.map(({ node }) => bare(node.name));
  return command === "exec" ? [...names, { text: "outside", description: "a client beyond the cluster" }] : names;
}

type Client = Parameters<Parameters<typeof asAdministrator>[1]>[0];
interface Named {
  readonly items: readonly { readonly metadata?: { readonly name?: string } | undefined }[];
}

async function namesInCluster(line: Line, list: (client: Client) => Promise<Named>): Promise<readonly Candidate[]> {
  const { config } = runningCluster(clusterOf(line));
  const { items } = await asAdministrator(config, list);
  return items.map(({ metadata }) => bare(metadata?.name ?? "")).toSorted((a, b) => (a.text < b.text ? -1 : 1));
}
