/** A cluster for a test: folders of its own, everything through the commands a user has. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kubectls } from "./kubectls.ts";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Lab {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs `netloom` with arguments. Never rejects for an exit code. */
  netloom(args: readonly string[], options?: RunOptions): Promise<Answer>;
  /** Runs the newest kubectl, or the one at `options.kubectl`. */
  kubectl(args: readonly string[], options?: RunOptions & { readonly kubectl?: string }): Promise<Answer>;
  /** Runs a shell line with kubectl on its PATH. */
  shell(line: string, options?: RunOptions): Promise<Answer>;
  /** Ends the cluster, if there is one, and removes the folders. */
  end(): Promise<void>;
}

/** Makes the folders, not yet the cluster: `lab.netloom(["up"])` does. */
export function makeLab(): Lab {
  // Short, because sockets lie in it.
  const folder = mkdtempSync(join(tmpdir(), "nl-"));
  const env = {
    ...(process.env as Record<string, string>),
    HOME: folder,
    XDG_STATE_HOME: join(folder, "s"),
    XDG_RUNTIME_DIR: join(folder, "r"),
    KUBECONFIG: join(folder, "kubeconfig"),
    NO_COLOR: "1",
  };
  // Programs the set-up fetched lie in the user's own folder, not in the test's.
  Object.assign(env, {
    XDG_DATA_HOME: process.env["XDG_DATA_HOME"] ?? join(process.env["HOME"] ?? "/", ".local/share"),
  });
  const newest = kubectls().at(-1)?.path ?? "kubectl";
  const lab: Lab = {
    folder,
    env,
    netloom: async (args, options) =>
      await run(process.execPath, [join(root, "bin/netloom.mjs"), ...args], {
        ...options,
        env: { ...env, ...options?.env },
      }),
    kubectl: async (args, options) =>
      await run(options?.kubectl ?? newest, args, { ...options, env: { ...env, ...options?.env } }),
    shell: async (line, options) =>
      await run("/bin/sh", ["-c", `kubectl() { ${newest} "$@"; }\n${line}`], {
        ...options,
        env: { ...env, ...options?.env },
      }),
    end: async () => {
      await lab.netloom(["down"]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

async function run(
  command: string,
  args: readonly string[],
  options: RunOptions & { readonly env: Readonly<Record<string, string>> },
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, cwd: root, stdio: ["pipe", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 60_000);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 255, stdout, stderr });
    });
    // A command that ends without reading its input is no failure.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}
