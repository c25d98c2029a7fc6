/** How the checks ask the machine; a test gives them another one. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { freemem, release } from "node:os";
import { dirname } from "node:path";
import { lookUpTool, type Tool, toolLibraryFolders } from "../../machinery/tools.ts";

export interface Machine {
  readonly uid: number;
  /** "x64", "arm64". */
  readonly architecture: string;
  /** "6.1.0-18-amd64". */
  readonly kernelRelease: string;
  readonly nodeVersion: string;
  /** A file's text without the white space around it; undefined where it cannot be read. */
  read(path: string): string | undefined;
  exists(path: string): boolean;
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): CommandOutcome;
  tool(name: string): Tool | undefined;
  /** A shared library's path; undefined where the machine and the fetched programs lack it. */
  library(name: string): string | undefined;
  freeMemoryBytes(): number;
  /** Of the file system that holds `path`, or would: the nearest folder that is there. */
  disk(path: string): { readonly freeBytes: number; readonly freeInodes: number; readonly isReadOnly: boolean };
  /** The errno's name where nothing can listen there; undefined where it can. */
  listenError(host: string, port: number): Promise<string | undefined>;
}

export interface CommandOutcome {
  /** Undefined where the program could not be started. */
  readonly status: number | undefined;
  readonly output: string;
}

export function openMachine(toolsDir: string): Machine {
  return {
    uid: process.getuid?.() ?? -1,
    architecture: process.arch,
    kernelRelease: release(),
    nodeVersion: process.version,
    read: (path) => {
      try {
        return readFileSync(path, "utf8").trim();
      } catch {
        return undefined;
      }
    },
    exists: existsSync,
    run: (command, args, env = {}) => {
      const result = spawnSync(command, args, {
        encoding: "utf8",
        timeout: 20_000,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      if (result.error !== undefined) return { status: undefined, output: result.error.message };
      return { status: result.status ?? 255, output: `${result.stdout}${result.stderr}`.trim() };
    },
    tool: (name) => lookUpTool(name, toolsDir),
    library: (name) => {
      const own = ["/usr/lib64", "/lib64", "/usr/lib", "/lib", ...toolLibraryFolders("")];
      return [...own, ...toolLibraryFolders(toolsDir)]
        .map((folder) => `${folder}/${name}`)
        .find((path) => existsSync(path));
    },
    freeMemoryBytes: freemem,
    disk: (path) => {
      const folder = nearestFolder(path);
      const { bavail, bsize, ffree, files } = statfsSync(folder);
      return {
        freeBytes: bavail * bsize,
        // Some file systems (btrfs) do not count them, and say 0 of 0.
        freeInodes: files === 0 ? Number.POSITIVE_INFINITY : ffree,
        isReadOnly: isReadOnly(folder),
      };
    },
    listenError: async (host, port) =>
      await new Promise((resolve) => {
        const server = createServer();
        server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
      }),
  };
}

/** The folder, or the nearest one above it that is there. */
export function nearestFolder(path: string): string {
  return existsSync(path) || path === "/" ? path : nearestFolder(dirname(path));
}

function isReadOnly(folder: string): boolean {
  // mountinfo's options of the longest mount point that leads to the folder; field 5 is the point, 6 the options.
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , , , point = "?"]) => folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`))
    .toSorted((left, right) => (left[4]?.length ?? 0) - (right[4]?.length ?? 0));
  return mounts.at(-1)?.[5]?.split(",").includes("ro") ?? false;
}
