/** A cluster for a test: folders of its own, everything through the commands a user has. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { patience, patiently } from "../../patience.ts";
import { kubectls } from "./kubectls.ts";
import { makeOrdinaryUser } from "./ordinary-user.ts";
import { root } from "./root.ts";

export { root } from "./root.ts";

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
  /** Starts `netloom` with arguments and leaves it running; its stderr is the test's. */
  start(args: readonly string[]): ChildProcess;
  /** Ends the cluster, if there is one, and removes the folders. */
  end(): Promise<void>;
}

/** Who calls netloom: whoever runs the test, or (for tests run by root) an ordinary user. */
export type LabUser = "own" | "ordinary";

/** Makes the folders, not yet the cluster: `lab.netloom(["up"])` does. */
export function makeLab(
  options: {
    readonly user?: LabUser;
    /** Put before each command. */
    readonly prefix?: readonly string[];
  } = {},
): Lab {
  const user = options.user === "ordinary" ? makeOrdinaryUser() : undefined;
  // Short, because sockets lie in it.
  const folder = user?.home ?? mkdtempSync(join(tmpdir(), "nl-"));
  const become = [...(options.prefix ?? []), ...(user?.become ?? [])];
  const program = user === undefined ? [process.execPath, join(root, "bin/netloom.mjs")] : [user.node, user.netloom];
  const env = {
    ...(process.env as Record<string, string>),
    HOME: folder,
    XDG_STATE_HOME: join(folder, "s"),
    XDG_RUNTIME_DIR: join(folder, "r"),
    KUBECONFIG: join(folder, "kubeconfig"),
    NO_COLOR: "1",
    // Programs the set-up fetched lie in the user's own folder, not in the test's.
    XDG_DATA_HOME:
      user === undefined
        ? (process.env["XDG_DATA_HOME"] ?? join(process.env["HOME"] ?? "/", ".local/share"))
        : join(folder, "data"),
  };
  const newest = kubectls().at(-1)?.path ?? "kubectl";
  const call = async (command: readonly string[], how: RunOptions = {}): Promise<Answer> =>
    await run([...become, ...command], {
      ...how,
      cwd: user?.home ?? root,
      env: { ...env, ...how.env },
    });
  const lab: Lab = {
    folder,
    env,
    netloom: async (args, how) => await call([...program, ...args], how),
    kubectl: async (args, how) => await call([how?.kubectl ?? newest, ...args.map(patiently)], how),
    shell: async (line, how) => await call(["/bin/sh", "-c", `kubectl() { ${newest} "$@"; }\n${patiently(line)}`], how),
    start: (args) => {
      const [command = "", ...rest] = [...become, ...program, ...args];
      return spawn(command, rest, { env, cwd: user?.home ?? root, stdio: ["pipe", "pipe", "inherit"] });
    },
    end: async () => {
      await lab.netloom(["down"]);
      rmSync(user?.folder ?? folder, { recursive: true, force: true });
    },
  };
  return lab;
}

async function run(
  [command = "", ...args]: readonly string[],
  options: RunOptions & { readonly env: Readonly<Record<string, string>>; readonly cwd: string },
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env, cwd: options.cwd, stdio: ["pipe", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), (options.timeoutMs ?? 60_000) * patience);
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

/** What the command printed; fails with its stderr where it did not succeed. */
export async function must(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr);
  return stdout;
}
