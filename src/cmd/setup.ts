/** `netloom setup`: fetches the programs this machine lacks, without root; what `npm start` does in a clone. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "./clusters.ts";

interface ToolsSetup {
  readonly installTools: (say: (text: string) => void) => void;
  readonly toolsFolder: () => string;
}

/** The command that makes the fetched kubectl the shell's; undefined where the shell has one, or none was fetched. */
export function kubectlAdvice(folder: string, path: string = process.env["PATH"] ?? ""): string | undefined {
  const programs = join(folder, "usr/bin");
  const isThere = path.split(":").some((one) => existsSync(join(one, "kubectl")));
  return isThere || !existsSync(join(programs, "kubectl")) ? undefined : `export PATH="${programs}:$PATH"`;
}

/** Beside the entry's folder both in a clone (src/cmd/) and bundled (dist/): the package's own scripts. */
const script = new URL(
  import.meta.url.endsWith(".ts") ? "../../scripts/setup/tools.mjs" : "../scripts/setup/tools.mjs",
  import.meta.url,
);

/** Rejects with `CommandError`, which names the command that helps. Returns where the programs lie. */
export async function setup(say: (text: string) => void): Promise<string> {
  const { installTools, toolsFolder } = (await import(script.href)) as ToolsSetup;
  try {
    installTools(say);
  } catch (error) {
    throw new CommandError((error as Error).message, { cause: error });
  }
  return toolsFolder();
}
