/** What must hold on this machine before anything is made: each failed check says what to do about it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { IpFamily } from "../../lib/ip/index.ts";
import { findTool, toolPackages, ToolMissingError } from "../../machinery/tools.ts";

export class PreflightError extends Error {
  readonly code = "MachineNotReady";
}

/** Bit numbers of <linux/capability.h>. */
const capabilities = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 } as const;

/**
 * Whether the cluster needs a user namespace of its own: not for root with the capabilities, but for everybody else,
 * root in an unprivileged container included.
 */
export function needsUserNamespace(): boolean {
  if (process.getuid?.() !== 0) return true;
  const status = readFileSync("/proc/self/status", "utf8");
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return !Object.values(capabilities).every((bit) => ((effective >> BigInt(bit)) & 1n) === 1n);
}

/** Throws `PreflightError` where this user may not make the namespaces of a cluster. */
export function checkNamespaces(): void {
  const isUserNamespace = needsUserNamespace();
  if (!isUserNamespace) return;
  const flags = ["--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--mount-proc"];
  const trial = spawnSync("unshare", [...flags, "true"], { encoding: "utf8" });
  if (trial.error !== undefined) {
    throw new PreflightError(`Cannot run "unshare" (${trial.error.message}): install the package util-linux`);
  }
  if (trial.status === 0) return;
  throw new PreflightError(`Cannot make a user namespace: ${trial.stderr.trim()}\n${namespaceRemedy(readSysctl)}`);
}

/** Why user namespaces are refused, from the kernel's settings. `read` returns a setting's text, "" where there is none. */
export function namespaceRemedy(read: (name: string) => string): string {
  if (read("kernel/apparmor_restrict_unprivileged_userns") === "1") {
    return "AppArmor forbids unprivileged user namespaces here (Ubuntu 24.04 and later): run netloom as root, or allow them: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0";
  }
  if (read("kernel/unprivileged_userns_clone") === "0") {
    return "The kernel forbids them to ordinary users: run netloom as root, or allow them: sudo sysctl kernel.unprivileged_userns_clone=1";
  }
  if (read("user/max_user_namespaces") === "0") {
    return "The kernel allows none at all: run netloom as root, or allow them: sudo sysctl user.max_user_namespaces=15000";
  }
  return "Run netloom as root; in a container, the container must be allowed to make namespaces (docker run --privileged, or --security-opt seccomp=unconfined --security-opt systempaths=unconfined)";
}

function readSysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, "utf8").trim();
  } catch {
    return "";
  }
}

/** Throws `PreflightError` where a cluster with IPv6 addresses is asked for and the kernel was booted without IPv6. */
export function checkFamilies(families: readonly IpFamily[], hasIpv6 = existsSync("/proc/net/if_inet6")): void {
  if (hasIpv6 || !families.includes("IPv6")) return;
  throw new PreflightError(
    'Cannot give the cluster IPv6 addresses: IPv6 is switched off in the kernel (there is no /proc/net/if_inet6); boot it without "ipv6.disable=1", or use --ip-family ipv4',
  );
}

/** Throws `ToolMissingError` that names every missing program and the one command that installs them. */
export function checkTools(toolsDir: string): void {
  const needed = ["crun", "conmon", "tini", "busybox"] as const;
  const missing = needed.filter((name) => {
    try {
      findTool(name, toolsDir);
      return false;
    } catch (error) {
      if (error instanceof ToolMissingError) return true;
      throw error;
    }
  });
  if (missing.length === 0) return;
  throw new ToolMissingError(
    `Cannot find ${missing.join(", ")} on this machine or in ${toolsDir}: run "netloom setup" once, which fetches them, or: sudo apt-get install ${missing.map((name) => toolPackages[name]).join(" ")}`,
  );
}

/** Whether nobody listens there. */
async function isPortFree(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Where a running cluster holds the sign that a port of 127.0.0.1 is its API's, also while its server is started again. */
export const apiPortClaim = (port: number): { readonly host: string; readonly port: number } => ({
  host: "127.255.255.254",
  port,
});

async function isApiPortFree(port: number): Promise<boolean> {
  const claim = apiPortClaim(port);
  return (await isPortFree("127.0.0.1", port)) && (await isPortFree(claim.host, claim.port));
}

/** `wanted`: the user's choice, refused where it is busy. Otherwise the first free port from 6443 on. */
export async function chooseApiPort(wanted: number | undefined): Promise<number> {
  if (wanted !== undefined) {
    if (await isApiPortFree(wanted)) return wanted;
    throw new PreflightError(
      `--api-port "${wanted}": another program listens on 127.0.0.1:${wanted}; choose another port, or leave the option out and netloom finds one`,
    );
  }
  for (let port = 6443; port < 6643; port += 1) if (await isApiPortFree(port)) return port;
  throw new PreflightError(
    "Cannot find a free port from 6443 to 6642 on 127.0.0.1: free one, or name one with --api-port",
  );
}

/** The address whose port a running cluster holds as the sign that 127.N.0.0/16 is its own, across all users. */
export const loopbackClaim = (index: number): { readonly host: string; readonly port: number } => ({
  host: `127.${index}.255.254`,
  port: 6443,
});

/** `preferred`, or else the first N from 60 on, whose 127.N.0.0/16 no cluster of any user has claimed. */
export async function chooseLoopbackIndex(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    const { host, port } = loopbackClaim(preferred);
    if (await isPortFree(host, port)) return preferred;
  }
  for (let index = 60; index < 250; index += 1) {
    const { host, port } = loopbackClaim(index);
    if (await isPortFree(host, port)) return index;
  }
  throw new PreflightError(
    'Cannot find a free loopback network from 127.60.0.0/16 to 127.249.0.0/16: end a cluster with "netloom down"',
  );
}
