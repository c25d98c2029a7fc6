/** The files every container of a pod shares, and each one's termination log: written before the first process starts. */
import { appendFileSync, chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { Pod } from "../../../api/generated/types.ts";
import type { Mount } from "../../../container/runtime.ts";
import type { ClusterConfig } from "../../../model/cluster-config.ts";
import { hostsFile, podHostname, resolvConf } from "../../../model/pod-files/index.ts";
import type { AnyContainer } from "./find-container.ts";
import { podDir } from "./paths.ts";

/**
 * Writes `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`; may be repeated. Those of a pod that an earlier agent has
 * started stay as they are: its containers may have written into them.
 */
export function writePodFiles(options: {
  readonly pod: Pod;
  readonly ips: readonly string[];
  readonly config: Pick<ClusterConfig, "clusterDomain" | "dnsServiceAddress">;
  readonly nodeRoot: string;
  readonly nodeName: string;
  /** The pod's network was there already. */
  readonly isAdopted: boolean;
}): { readonly hostname: string } {
  const { pod, ips, config, nodeRoot, nodeName, isAdopted } = options;
  const { clusterDomain, dnsServiceAddress } = config;
  const dir = podDir(nodeRoot, pod.metadata?.uid ?? "");
  mkdirSync(dir, { recursive: true });
  const isOnHost = pod.spec?.hostNetwork === true;
  const names = podHostname(pod, clusterDomain);
  const isFqdn = pod.spec?.setHostnameAsFQDN === true && names.fqdn !== "";
  const hostname = isOnHost ? nodeName : isFqdn ? names.fqdn : names.hostname;
  if (isAdopted && isWritten(dir, ips)) return { hostname };
  writeHostsFile({ pod, ips, clusterDomain, nodeRoot });
  writeFileSync(`${dir}/etc-hostname`, `${hostname}\n`);
  const node = readOr(`${nodeRoot}/etc/resolv.conf`, "");
  writeFileSync(`${dir}/resolv.conf`, resolvConf({ pod, clusterDomain, clusterDns: dnsServiceAddress, node }));
  return { hostname };
}

/**
 * Writes the pod's `/etc/hosts`: as upstream, before each start of a container, so that one in the node's network knows the nodes
 * that came since. Containers that run see the same file.
 */
export function writeHostsFile(options: {
  readonly pod: Pod;
  readonly ips: readonly string[];
  readonly clusterDomain: string;
  readonly nodeRoot: string;
}): void {
  const { pod, ips, clusterDomain, nodeRoot } = options;
  const isOnHost = pod.spec?.hostNetwork === true;
  const nodeHosts = isOnHost ? readOr(`${nodeRoot}/etc/hosts`, "127.0.0.1\tlocalhost\n") : undefined;
  const path = `${podDir(nodeRoot, pod.metadata?.uid ?? "")}/etc-hosts`;
  const text = hostsFile({ pod, ips, clusterDomain, nodeHosts });
  if (text !== readOr(path, "")) writeFileSync(path, text);
}

/** Mounts of these files, except where a volume of the container takes the place. Makes the run's termination log. */
export function podFileMounts(
  nodeRoot: string,
  pod: Pod,
  run: { readonly container: AnyContainer; readonly attempt: number },
): readonly Mount[] {
  const dir = podDir(nodeRoot, pod.metadata?.uid ?? "");
  const { container } = run;
  const log = terminationLogPath(nodeRoot, pod, { name: container.name, attempt: run.attempt });
  mkdirSync(log.slice(0, log.lastIndexOf("/")), { recursive: true });
  appendFileSync(log, "");
  // Whatever user the container runs as may leave its last words.
  chmodSync(log, 0o666);
  const all: readonly Mount[] = [
    { source: `${dir}/etc-hosts`, target: "/etc/hosts", isReadOnly: false },
    { source: `${dir}/etc-hostname`, target: "/etc/hostname", isReadOnly: false },
    { source: `${dir}/resolv.conf`, target: "/etc/resolv.conf", isReadOnly: false },
    { source: log, target: container.terminationMessagePath ?? "/dev/termination-log", isReadOnly: false },
  ];
  const taken = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  return all.filter(({ target }) => !taken.has(target));
}

export function terminationLogPath(
  nodeRoot: string,
  pod: Pod,
  run: { readonly name: string; readonly attempt: number },
): string {
  return `${podDir(nodeRoot, pod.metadata?.uid ?? "")}/containers/${run.name}/${run.attempt}`;
}

/** An agent may have been killed before the last of them, and before a stop of the cluster the pod had other addresses. */
function isWritten(dir: string, [ip = ""]: readonly string[]): boolean {
  const last = statSync(`${dir}/resolv.conf`, { throwIfNoEntry: false });
  return last !== undefined && last.size > 0 && readOr(`${dir}/etc-hosts`, "").includes(`${ip}\t`);
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
