/** `netloom setup`: fetches the programs this machine lacks, without root; what `npm start` does in a clone. */
import { CommandError } from "./clusters.ts";

interface ToolsSetup {
  readonly installTools: (say: (text: string) => void) => void;
  readonly toolsFolder: () => string;
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
