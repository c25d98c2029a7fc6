/**
 * Tries what a cluster needs of the kernel, really, in namespaces made for the purpose: modules are loaded on demand, a
 * sandbox may refuse a call, and neither shows in any file. Runs as a process of its own under unshare(1).
 */
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCidr, parseIpAddress } from "../../../lib/ip/index.ts";
import { openConntrack } from "../../../kernel/conntrack/index.ts";
import { createNetworkNamespace } from "../../../kernel/netns/index.ts";
import type { NetworkNamespace } from "../../../kernel/network-namespace.ts";
import { openNft } from "../../../kernel/nftables/index.ts";
import { Rtnetlink } from "../../../kernel/rtnetlink/index.ts";
import { writeSysctl } from "../../../kernel/sysctl/index.ts";
import { ipv6Settings } from "../../../model/network-state/index.ts";
import { mount, unmount } from "../../../machinery/libc/index.ts";
import { ipv6Rules, rulesTrials } from "./rules-trials.ts";
import type { TrialResult } from "./trial-result.ts";

export interface TrialOptions {
  /** An empty folder to mount on; left empty. */
  readonly folder: string;
  readonly toolsDir: string;
  readonly isRootless: boolean;
}

/** Never throws; what cannot be tried because something before it failed is left out. */
export function runTrials(options: TrialOptions): readonly TrialResult[] {
  const results: TrialResult[] = [];
  const attempt = <T>(name: string, work: () => T): T | undefined => {
    try {
      const value = work();
      results.push({ name });
      return value;
    } catch (error) {
      results.push({ name, error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  };
  const { folder } = options;
  const mounted = attempt("tmpfs", () => {
    mount({ source: "netloom-doctor", target: folder, type: "tmpfs", data: "mode=0700,size=1m" });
    return true;
  });
  if (mounted === undefined) return results;
  // As with a cluster's roots: what is written lies in memory.
  attempt("overlay", () => tryOverlay(options));
  const namespaces = attempt("network namespace", () =>
    ["node", "pod"].map((name) => createNetworkNamespace(join(folder, name))),
  );
  const [node, pod] = namespaces ?? [];
  if (node !== undefined && pod !== undefined) {
    tryLinks(attempt, node, pod);
    attempt("sysctls", () => {
      node.run(() => {
        writeSysctl("net/ipv4/ip_forward", "1");
        writeSysctl("net/ipv4/conf/all/rp_filter", "0");
      });
      pod.run(() => writeSysctl("net/ipv4/ip_unprivileged_port_start", "0"));
    });
    attempt("ipv6: settings", () => {
      const cause = { kind: "Trial", name: "ipv6" };
      node.run(() => ipv6Settings(cause).forEach(({ key, value }) => writeSysctl(key, value)));
    });
    const nft = attempt("libnftables", () => openNft({ namespace: node, toolsDir: options.toolsDir }));
    if (nft !== undefined) {
      for (const [name, rules] of rulesTrials) attempt(`nf_tables: ${name}`, () => nft.run(rules));
      attempt("ipv6: rules", () => nft.run(ipv6Rules));
      nft.close();
    }
    attempt("conntrack", () => {
      const table = openConntrack({ namespace: node });
      table.list();
      table.close();
    });
    node.close();
    pod.close();
  }
  unmount(folder, { isLazy: true });
  return results;
}

type Attempt = <T>(name: string, work: () => T) => T | undefined;

function tryLinks(attempt: Attempt, node: NetworkNamespace, pod: NetworkNamespace): void {
  const links = attempt("rtnetlink", () => new Rtnetlink(node));
  if (links === undefined) return;
  const made = attempt("veth", () => {
    links.createLink({
      name: "v0",
      kind: "veth",
      isUp: true,
      peer: { name: "eth0", namespaceFd: openSync(pod.path, "r") },
    });
    return links.findLink("v0");
  });
  attempt("bridge", () => links.createLink({ name: "b0", kind: "bridge", isUp: true }));
  if (made !== undefined) {
    attempt("ipv6: addresses", () =>
      links.addAddress({ linkIndex: made.index, address: parseIpAddress("fd00::1"), prefix: 64, protocol: 0 }),
    );
    attempt("routes", () => {
      const linkIndex = made.index;
      links.addAddress({ linkIndex, address: parseIpAddress("10.0.0.1"), prefix: 24, protocol: 0 });
      const destination = parseCidr("10.1.0.0/16");
      const route = {
        destination,
        gateway: undefined,
        linkIndex,
        source: undefined,
        isOnlink: false,
        isProhibited: false,
        protocol: 110,
      };
      links.setRoute({ ...route, table: 100 });
      links.addRule({ family: "IPv4", priority: 100, inLink: "lo", table: 100, protocol: 110 });
    });
  }
  attempt("vxlan", () => {
    const vxlan = { vni: 1, port: 4789, local: undefined, isLearning: false };
    links.createLink({ name: "x0", kind: "vxlan", vxlan });
  });
  links.close();
}

function tryOverlay({ folder, isRootless }: TrialOptions): void {
  const path = (name: string): string => join(folder, name);
  try {
    for (const name of ["lower", "upper", "work", "merged"]) mkdirSync(path(name));
    writeFileSync(path("lower/file"), "below");
    const layers = `lowerdir=${path("lower")},upperdir=${path("upper")},workdir=${path("work")}`;
    mount({
      source: "overlay",
      target: path("merged"),
      type: "overlay",
      data: isRootless ? `${layers},userxattr` : layers,
    });
    writeFileSync(path("merged/file"), "above");
    const seen = readFileSync(path("merged/file"), "utf8");
    unmount(path("merged"));
    if (seen !== "above") throw new Error(`a file written through the overlay reads "${seen}"`);
  } finally {
    for (const name of ["lower", "upper", "work", "merged"]) rmSync(path(name), { recursive: true, force: true });
  }
}
