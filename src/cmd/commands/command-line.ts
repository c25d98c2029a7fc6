/** What the commands' files share: their surroundings, common options, and how values on the command line are read. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Progress } from "../../components/lab-host/index.ts";
import { clusterDefaults, parseDuration } from "../../model/cluster-plan/index.ts";

/** What a command may use of the process it runs in. */
export interface Surroundings {
  readonly progress: Progress;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
}

/** Adds the commands of one group to the program. */
export type CommandGroup = (program: Command, surroundings: Surroundings) => void;

const nameOption = (): Option => new Option("--name <name>", "the cluster's name").default(clusterDefaults.name);

/** `-o`; the first format is the default. */
export const formatOption = (formats: readonly [string, ...string[]]): Option =>
  new Option("-o, --output <format>", "the form of the answer").choices(formats).default(formats[0]);

/** A command about one cluster: it has `--name`. */
export const clusterCommand = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).addOption(nameOption()).exitOverride();

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

/** Go's durations, as kubectl takes them: "30s", "1m30s", "500ms"; a bare number is seconds. In milliseconds. */
export function duration(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new InvalidArgumentError(`"${text}" is not a duration such as "30s" or "1m30s".`);
  }
  return milliseconds;
}
