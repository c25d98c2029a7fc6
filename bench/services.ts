/**
 * The rules of many services: planned, loaded, and changed by one endpoint, in-process as the service proxy does it,
 * beside the `nft` program doing the same to the kernel, which is the floor for anything that starts a process.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInside, runInside } from "./_inside.ts";
import { median, printTable } from "./_table.ts";
import { createNetworkNamespace, removeNetworkNamespace } from "../src/kernel/netns/index.ts";
import { openNftables } from "../src/kernel/nftables/index.ts";
import type { NetworkNamespace } from "../src/kernel/network-namespace.ts";
import { parseCidr, parseIpAddress } from "../src/lib/ip/index.ts";
import { renderText } from "../src/model/rules/index.ts";
import {
  createServicePlan,
  ruleSetOf,
  updateServicePlan,
  type NodeNetwork,
  type ServiceObjects,
} from "../src/model/services/index.ts";

const endpointsPerService = 4;
const changes = 51;

/** `args`: numbers of services, 1000 and 10000 by default. Prints a table; runs in namespaces of its own, as root or rootless. */
export async function run(args: readonly string[]): Promise<void> {
  if (!isInside) return runInside("services", args);
  const sizes = args.length > 0 ? args.map(Number) : [1000, 10_000];
  const rows = sizes.map((size) => measure(size));
  console.log(`${endpointsPerService} endpoints per service; changes: medians of ${changes}; milliseconds`);
  printTable(
    [
      "services",
      "elements",
      "plan",
      "load",
      "load by nft",
      "ratio",
      "sync again",
      "plan a change",
      "apply it",
      "by nft",
      "ratio",
    ],
    rows.map((row) => [
      String(row.services),
      String(row.elements),
      row.planMs.toFixed(0),
      row.loadMs.toFixed(0),
      row.nftLoadMs === undefined ? "too large" : row.nftLoadMs.toFixed(0),
      row.nftLoadMs === undefined ? "" : `${(row.loadMs / row.nftLoadMs).toFixed(2)}x`,
      row.syncMs.toFixed(0),
      row.planChangeMs.toFixed(3),
      row.changeMs.toFixed(3),
      row.nftChangeMs.toFixed(1),
      `${(row.changeMs / row.nftChangeMs).toFixed(3)}x`,
    ]),
  );
}

function measure(services: number) {
  const dir = mkdtempSync(join(tmpdir(), "netloom-bench-"));
  const namespace = createNetworkNamespace(join(dir, "node"));
  try {
    return { services, ...measureIn(namespace, services, dir) };
  } finally {
    namespace.close();
    removeNetworkNamespace(namespace.path);
    rmSync(dir, { recursive: true, force: true });
  }
}

function measureIn(namespace: NetworkNamespace, services: number, dir: string) {
  const plan = createServicePlan(node);
  const all = Array.from({ length: services }, (_, index) => objects(index, 0));
  const planMs = time(() => updateServicePlan(plan, { services: all }));
  const elements = [...plan.parts.values()].reduce((sum, part) => sum + part.length, 0);
  const nftables = openNftables({ namespace, toolsDir: "/nonexistent" });
  const loadMs = time(() => nftables.sync(ruleSetOf(plan)));
  const syncMs = time(() => nftables.sync(ruleSetOf(plan)));
  const planTimes: number[] = [];
  const changeTimes: number[] = [];
  for (let round = 1; round <= changes; round += 1) {
    const changed = [objects(round % services, round)];
    const started = performance.now();
    const { transaction } = updateServicePlan(plan, { services: changed });
    planTimes.push(performance.now() - started);
    changeTimes.push(time(() => nftables.apply(transaction)));
  }
  const byNft = (file: string) =>
    execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "-f", file], { stdio: "pipe" });
  const text = join(dir, "rules.nft");
  const changeText = join(dir, "change.nft");
  const nftChangeTimes = Array.from({ length: changes }, (_, round) => {
    const slot = (value: number) => `element ip netloom slots { 1 . 0 : 10.250.0.${value} . 8080 }`;
    const from = round === 0 ? plan.parts.get("ip default/s0")?.find(({ set }) => set === "slots") : undefined;
    const remove =
      from?.data === undefined || !("values" in from.data)
        ? slot(round)
        : `element ip netloom slots { 1 . 0 : ${from.data.values.join(" . ")} }`;
    writeFileSync(changeText, `delete ${remove}\nadd ${slot(round + 1)}\n`);
    return time(() => byNft(changeText));
  });
  writeFileSync(text, renderText(ruleSetOf(plan)));
  // Into rules that are empty as they were above, and with nobody who listens to every change.
  nftables.remove(ruleSetOf(plan));
  nftables.close();
  let nftLoadMs: number | undefined;
  try {
    nftLoadMs = time(() => byNft(text));
  } catch {
    // Rootless, a transaction beyond the kernel's largest send buffer is refused.
  }
  const planChangeMs = median(planTimes);
  return {
    elements,
    planMs,
    loadMs,
    nftLoadMs,
    syncMs,
    planChangeMs,
    changeMs: median(changeTimes),
    nftChangeMs: median(nftChangeTimes),
  };
}

function time(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

const node: NodeNetwork = {
  name: "node-1",
  addresses: [parseIpAddress("192.168.60.11")],
  podCidrs: [parseCidr("10.244.1.0/24")],
  clusterCidrs: [parseCidr("10.244.0.0/16"), parseCidr("192.168.60.0/24")],
  serviceCidrs: [parseCidr("10.96.0.0/12")],
  podInterfacePrefix: "v",
};

/** Each version of a service has another last endpoint. */
function objects(index: number, version: number): ServiceObjects {
  const name = `s${index}`;
  const addressOf = (endpoint: number): string => `10.244.${2 + (index % 200)}.${(index * 7 + endpoint) % 250}`;
  const addresses = Array.from({ length: endpointsPerService }, (_, endpoint) =>
    endpoint === endpointsPerService - 1 && version > 0 ? `10.251.0.${version}` : addressOf(endpoint),
  );
  return {
    key: `default/${name}`,
    service: {
      metadata: { namespace: "default", name },
      spec: {
        type: index % 10 === 0 ? "NodePort" : "ClusterIP",
        clusterIP: `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
        ports: [
          { name: "http", port: 80, protocol: "TCP", ...(index % 10 === 0 ? { nodePort: 30_000 + index / 10 } : {}) },
        ],
      },
    },
    slices: [
      {
        metadata: { namespace: "default", name: `${name}-x` },
        addressType: "IPv4",
        ports: [{ name: "http", port: 8080 }],
        endpoints: addresses.map((address) => ({ addresses: [address], nodeName: "node-2" })),
      },
    ],
  };
}
