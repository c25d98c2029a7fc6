/** Runs the user's commands; what they are called and take is said in `commands/`, their work in files beside this one. */
import { Command } from "commander";
import { createProgress } from "../components/lab-host/index.ts";
import { commandGroups, type Surroundings } from "./commands/index.ts";
import { kubernetesVersion, version } from "./version.ts";

/** 0: done; 1: refused or failed, said on stderr; 2: the command line is wrong; 130: interrupted. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const progress = createProgress();
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
  // "netloom logs | head": whoever read has read enough.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    progress.fail(`Cannot write the answer: ${error.message}`);
    process.exit(1);
  });
  let code = 0;
  const program = createProgram({ progress, signal: interrupt.signal, setExitCode: (value) => (code = value) });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    // What failed may have been a child that the same Ctrl-C has ended: whether it was, this process hears a moment later.
    await new Promise((resolve) => setImmediate(resolve));
    if (interrupt.signal.aborted) {
      progress.fail("interrupted; what was begun is undone");
      return 130;
    }
    return report(error, (message) => progress.fail(message));
  }
}

function report(error: unknown, fail: (message: string) => void): number {
  const { code, exitCode } = error as { readonly code?: string | number; readonly exitCode?: number };
  // Commander has printed its own message, and help is no error.
  if (typeof code === "string" && code.startsWith("commander.")) return exitCode === 0 ? 0 : 2;
  const message = error instanceof Error ? error.message : String(error);
  // Ours have names as codes, refusals of the API have HTTP's numbers; both are said without a stack.
  const isUsers = typeof code === "number" || (code !== undefined && /^[A-Z]/.test(code));
  fail(isUsers ? message : `${message}\n${error instanceof Error ? (error.stack ?? "") : ""}`);
  return 1;
}

export function createProgram(surroundings: Surroundings): Command {
  const { progress } = surroundings;
  const program = new Command("netloom")
    .description(
      `All of Kubernetes networking on this machine: a cluster of real nodes, pods and packets (API ${kubernetesVersion})`,
    )
    .version(version(), "-V, --version", "print the version")
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    // The same mark before a wrong command line as before all that is refused.
    .configureOutput({ outputError: (text) => progress.fail(text.replace(/^error: /, "").trimEnd()) })
    // Its own help of what is below a group, or unknown, is the group's, without a word.
    .helpCommand(false);
  for (const addCommands of commandGroups) addCommands(program, surroundings);
  addHelpCommand(program);
  for (const command of everyCommandOf(program)) {
    command.allowExcessArguments().showHelpAfterError(`See "${fullName(command)} --help"`);
  }
  program.hook("preAction", (_, command) => refuseExcess(command));
  return program;
}

function addHelpCommand(program: Command): void {
  program
    .command("help")
    .description("explain a command: netloom help node add")
    .argument("[command...]")
    .exitOverride()
    .action((words: string[]) => {
      let command = program;
      for (const word of words) {
        const child = command.commands.find((one) => [one.name(), ...one.aliases()].includes(word));
        if (child === undefined)
          program.error(`unknown command "${words.join(" ")}"`, { code: "commander.unknownCommand" });
        command = child;
      }
      process.stdout.write(command.helpInformation());
    });
}

const everyCommandOf = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(everyCommandOf)];

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;

/** Commander counts what is too much, and does not say which; hence all commands let it pass, and this looks. */
function refuseExcess(command: Command): void {
  const { args, registeredArguments: known } = command;
  if (known.at(-1)?.variadic === true || args.length <= known.length) return;
  const takes = known.length === 0 ? "no argument" : known.map((argument) => `<${argument.name()}>`).join(" and ");
  command.error(`unexpected argument "${args[known.length]}": "${fullName(command)}" takes ${takes}`, {
    code: "commander.excessArguments",
  });
}
