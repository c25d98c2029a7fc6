/** Finds the programs netloom runs: those of the machine, else those the set-up unpacked into the tools folder. */
import { accessSync, constants } from "node:fs";
import { arch } from "node:os";
import { join, resolve } from "node:path";

export interface Tool {
  /** Absolute. */
  readonly path: string;
  /** To add to the environment: a program from the tools folder finds its libraries there. */
  readonly env: Readonly<Record<string, string>>;
}

export class ToolMissingError extends Error {
  readonly code = "ToolMissing";
}

/** Debian's package of each program. */
export const toolPackages = {
  crun: "crun",
  conmon: "conmon",
  tini: "tini",
  busybox: "busybox-static",
  nginx: "nginx-light",
  apache2: "apache2-bin",
  newuidmap: "uidmap",
} as const;

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const triplets: Readonly<Record<string, string>> = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };

/** Where libraries unpacked into `toolsDir` lie, for LD_LIBRARY_PATH. */
export function toolLibraryFolders(toolsDir: string): readonly string[] {
  const triplet = triplets[arch()] ?? "";
  return [`${toolsDir}/usr/lib/${triplet}`, `${toolsDir}/lib/${triplet}`];
}

/** The program on the PATH or in the usual folders, or undefined where neither the machine nor `toolsDir` (the root of unpacked Debian packages) has it. */
export function lookUpTool(name: string, toolsDir: string): Tool | undefined {
  const ofPath = (process.env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const ofMachine = [...ofPath, ...folders].map((folder) => join(folder, name)).find(isExecutable);
  const path = ofMachine ?? folders.map((folder) => join(toolsDir, folder, name)).find(isExecutable);
  if (path === undefined) return undefined;
  // Who calls the fetched kubectl by its name has the tools folder on the PATH.
  const isFetched = path.startsWith(`${resolve(toolsDir)}/`);
  return { path, env: isFetched ? { LD_LIBRARY_PATH: toolLibraryFolders(toolsDir).join(":") } : {} };
}

/** Throws `ToolMissingError`, which names the command that installs it. */
export function findTool(name: keyof typeof toolPackages, toolsDir: string): Tool {
  const tool = lookUpTool(name, toolsDir);
  if (tool !== undefined) return tool;
  throw new ToolMissingError(
    `Cannot find the program "${name}" on this machine or in ${toolsDir}: run "netloom setup" once, or "apt-get install ${toolPackages[name]}"`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
