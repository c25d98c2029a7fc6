/** About netloom itself. */
import { Argument } from "commander";
import { type CommandGroup, formatOption } from "./command-line.ts";

export const addSelfCommands: CommandGroup = (program, { progress, setExitCode }) => {
  program
    .command("doctor")
    .description("examine this machine: what a cluster needs, what is missing, and what to do about it")
    .addOption(formatOption(["table", "json", "yaml"]))
    .exitOverride()
    .action(async ({ output }: { output: "table" | "json" | "yaml" }) => {
      const { doctor } = await import("../doctor.ts");
      const { text, isWell } = await doctor(output);
      process.stdout.write(text);
      setExitCode(isWell ? 0 : 1);
    });
  program
    .command("setup")
    .description("fetch the programs this machine lacks (crun, conmon, …), without root; nothing is installed")
    .exitOverride()
    .action(async () => {
      const { kubectlAdvice, setup } = await import("../setup.ts");
      const folder = await setup((text) => progress.say(text));
      progress.done("every program is there", `of this machine, or in ${folder}`);
      const advice = kubectlAdvice(folder);
      if (advice !== undefined) progress.say(`kubectl is among those that were fetched; for your shell: ${advice}`);
    });
  program
    .command("version")
    .description("print the versions of netloom and of the Kubernetes API")
    .addOption(formatOption(["text", "json", "yaml"]))
    .exitOverride()
    .action(async ({ output }: { output: "text" | "json" | "yaml" }) => {
      const [{ version, versions }, { formatted }] = await Promise.all([
        import("../version.ts"),
        import("../output.ts"),
      ]);
      process.stdout.write(output === "text" ? `${version()}\n` : await formatted(versions(), output));
    });
  program
    .command("completion")
    .description("print a completion script: source <(netloom completion bash)")
    .addHelpText(
      "after",
      `
Put it into your shell's start-up file:
  bash   source <(netloom completion bash)     in ~/.bashrc
  zsh    source <(netloom completion zsh)      in ~/.zshrc
  fish   netloom completion fish | source      in ~/.config/fish/config.fish`,
    )
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .exitOverride()
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript } = await import("../completion-scripts.ts");
      process.stdout.write(completionScript[shell]);
    });
  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .exitOverride()
    .action(async (words: string[]) => {
      const { complete } = await import("../completion.ts");
      const candidates = await complete(program, words).catch(() => []);
      const lines = candidates.map(({ text, description }) => (description === "" ? text : `${text}\t${description}`));
      process.stdout.write(lines.map((line) => `${line}\n`).join(""));
    });
};
