/** `netloom exec NODE -- command`: runs a command as a node of the cluster sees the world. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { needsUserNamespace } from "../components/lab-host/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { CommandError, runningCluster } from "./clusters.ts";

export interface ExecOptions {
  readonly name: string;
  /** A node's name, or "outside". */
  readonly node: string;
  /** The command line; empty: a shell. */
  readonly words: readonly string[];
}

/** Resolves with the command's exit code (128 + n when signal n ended it). */
export async function exec({ name, node, words }: ExecOptions): Promise<number> {
  const { config, initPid } = runningCluster(name);
  const paths = clusterPaths(config);
  if (node !== "outside" && !config.nodes.some((one) => one.name === node)) {
    const known = [...config.nodes.map((one) => one.name), "outside"].join(", ");
    throw new CommandError(`The cluster "${name}" has no node "${node}": choose one of ${known}`);
  }
  // The cluster's private mounts are seen through its init; nsenter opens these paths before it enters anything.
  const seenFromHere = (path: string): string => `/proc/${initPid}/root${path}`;
  const args = [
    `--target=${initPid}`,
    ...(needsUserNamespace() ? ["--user", "--preserve-credentials"] : []),
    "--mount",
    "--pid",
    `--net=${seenFromHere(join(paths.netns, node))}`,
    // The outside client is a machine of its own beyond the cluster: it has this host's files.
    ...(node === "outside"
      ? ["--wd=/"]
      : [`--root=${seenFromHere(paths.nodeRoot(node))}`, `--wd=${seenFromHere(paths.nodeRoot(node))}`]),
    "--",
    ...(words.length === 0 ? ["/bin/sh"] : words),
  ];
  const child = spawn("nsenter", args, {
    stdio: "inherit",
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      TERM: process.env["TERM"] ?? "dumb",
    },
  });
  return await new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        new CommandError(`Cannot run nsenter: ${error.message}; install the package util-linux`, { cause: error }),
      ),
    );
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGKILL" ? 137 : 143)));
  });
}
