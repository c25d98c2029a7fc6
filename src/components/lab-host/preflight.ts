/** What must hold on this machine before anything is made: each failed check says what to do about it. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
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

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Listens there; undefined where somebody else does. */
async function take(place: Place): Promise<Server | undefined> {
  return await new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    // It must not keep a command alive that failed.
    server.listen({ ...place, exclusive: true }, () => resolve(server.unref()));
  });
}

/** Whether nobody listens there. */
async function isFree(place: Place): Promise<boolean> {
  const server = await take(place);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** A choice that no other cluster of any user can make until it is released, or this process ends. */
export interface Reservation<T> {
  readonly value: T;
  /** Once the cluster itself holds its signs. Harmless when repeated. */
  release(): void;
}

/** Where a cluster that is being started holds its choice, until its holder has put up the sign of a running one. */
const reservationOf = ({ host, port }: Place): Place => ({ host: host.replace(/254$/, "253"), port });

async function reserve<T>(
  value: T,
  claim: Place,
  isUsable: () => Promise<boolean>,
): Promise<Reservation<T> | undefined> {
  const server = await take(reservationOf(claim));
  if (server === undefined) return undefined;
  // Looked at only now: whoever chose before has put up the sign, or would still hold the reservation.
  if ((await isFree(claim)) && (await isUsable())) return { value, release: () => void server.close() };
  server.close();
  return undefined;
}

/** Where a running cluster holds the sign that a port of 127.0.0.1 is its API's, also while its server is started again. */
export const apiPortClaim = (port: number): Place => ({ host: "127.255.255.254", port });

async function reserveApiPort(port: number): Promise<Reservation<number> | undefined> {
  return await reserve(port, apiPortClaim(port), async () => await isFree({ host: "127.0.0.1", port }));
}

/** `wanted`: the user's choice, refused where it is busy. Otherwise the first free port from 6443 on. */
export async function chooseApiPort(wanted: number | undefined): Promise<Reservation<number>> {
  if (wanted !== undefined) {
    const reservation = await reserveApiPort(wanted);
    if (reservation !== undefined) return reservation;
    throw new PreflightError(
      `--api-port "${wanted}": another program listens on 127.0.0.1:${wanted}; choose another port, or leave the option out and netloom finds one`,
    );
  }
  for (let port = 6443; port < 6643; port += 1) {
    const reservation = await reserveApiPort(port);
    if (reservation !== undefined) return reservation;
  }
  throw new PreflightError(
    "Cannot find a free port from 6443 to 6642 on 127.0.0.1: free one, or name one with --api-port",
  );
}

/** The address whose port a running cluster holds as the sign that 127.N.0.0/16 is its own, across all users. */
export const loopbackClaim = (index: number): Place => ({ host: `127.${index}.255.254`, port: 6443 });

/** `preferred`, or else the first N from 60 on, whose 127.N.0.0/16 no cluster of any user has claimed. */
export async function chooseLoopbackIndex(preferred?: number): Promise<Reservation<number>> {
  const inTurn = Array.from({ length: 190 }, (_, count) => 60 + count);
  for (const index of preferred === undefined ? inTurn : [preferred, ...inTurn]) {
    const reservation = await reserve(index, loopbackClaim(index), async () => await Promise.resolve(true));
    if (reservation !== undefined) return reservation;
  }
  throw new PreflightError(
    'Cannot find a free loopback network from 127.60.0.0/16 to 127.249.0.0/16: end a cluster with "netloom down"',
  );
}
