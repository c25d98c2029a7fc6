import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { presentConfig, presentRoster } from "../../model/state-layout/index.ts";
import { currentLayout, markLayout, migrateState, StateLayoutError } from "./state-layout.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "nl-state-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What netloom wrote before the folder had a number. */
const layout1 = {
  stateDir: "/home/alice/.local/state/netloom/netloom",
  runDir: "/run/user/1000/netloom/netloom",
  toolsDir: "/home/alice/.local/share/netloom/tools",
  apiPort: 6443,
  loopbackIndex: 60,
  name: "netloom",
  nodes: [{ name: "node-1", address: "192.168.60.11", podCidr: "10.244.1.0/24", loopbackAddress: "127.60.0.1" }],
  nodeCidr: "192.168.60.0/24",
  controlPlaneAddress: "192.168.60.1",
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
  outsideCidr: "192.168.61.0/24",
  outsideRouterAddress: "192.168.61.1",
  outsideAddress: "192.168.61.2",
  clusterDomain: "cluster.local",
  dnsServiceAddress: "10.96.0.10",
  kubernetesServiceAddress: "10.96.0.1",
  nodePortRange: { first: 30_000, last: 32_767 },
  images: ["catalog"],
};
/** The same today. */
const present = {
  stateDir: "/home/alice/.local/state/netloom/netloom",
  runDir: "/run/user/1000/netloom/netloom",
  toolsDir: "/home/alice/.local/share/netloom/tools",
  apiPort: 6443,
  loopbackIndex: 60,
  name: "netloom",
  nodes: [{ name: "node-1", addresses: ["192.168.60.11"], podCidrs: ["10.244.1.0/24"], loopbackAddress: "127.60.0.1" }],
  nodeCidrs: ["192.168.60.0/24"],
  controlPlaneAddresses: ["192.168.60.1"],
  podCidrs: ["10.244.0.0/16"],
  serviceCidrs: ["10.96.0.0/12"],
  outsideCidrs: ["192.168.61.0/24"],
  outsideRouterAddresses: ["192.168.61.1"],
  outsideAddresses: ["192.168.61.2"],
  clusterDomain: "cluster.local",
  dnsServiceAddress: "10.96.0.10",
  kubernetesServiceAddress: "10.96.0.1",
  nodePortRange: { first: 30_000, last: 32_767 },
  images: ["catalog"],
};
const write = (name: string, value: unknown): void => writeFileSync(join(folder, name), JSON.stringify(value));
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

test("migrateState() brings a folder of the first layout to the present one, once", () => {
  write("cluster.json", layout1);
  write("nodes.json", [{ node: layout1.nodes[0], agent: 1, wanted: "running", end: "shutdown" }]);
  assert.deepEqual(migrateState(folder), [
    "layout 1 to 2: cluster.json gets maxPods and auditLog",
    "layout 2 to 3: cluster.json gets network",
    "layout 3 to 4: addresses and ranges in cluster.json and nodes.json become lists, one of each family",
    "layout 4 to 5: cluster.json gets logLevel",
  ]);
  assert.deepEqual(read("cluster.json"), {
    ...present,
    maxPods: 110,
    auditLog: false,
    network: "host-gw",
    logLevel: "info",
  });
  assert.deepEqual(read("nodes.json"), [{ node: present.nodes[0], agent: 1, wanted: "running", end: "shutdown" }]);
  assert.deepEqual(read("layout.json"), { layout: currentLayout });
  assert.deepEqual(migrateState(folder), []);
  assert.deepEqual(readdirSync(folder).toSorted(), ["cluster.json", "layout.json", "nodes.json"]);
});

test("migrateState() repeats a step that a crash kept from being noted, and keeps what is there", () => {
  const settings = { maxPods: 20, auditLog: true, network: "vxlan", logLevel: "debug" };
  write("cluster.json", { ...layout1, ...settings });
  migrateState(folder);
  assert.deepEqual(read("cluster.json"), { ...present, ...settings });
  write("layout.json", { layout: 1 });
  migrateState(folder);
  assert.deepEqual(read("cluster.json"), { ...present, ...settings });
});

test("presentConfig() and presentRoster() read what any release wrote, as an older cluster may still run", () => {
  const defaults = { maxPods: 110, auditLog: false, network: "host-gw", logLevel: "info" };
  assert.deepEqual(presentConfig(layout1), { ...present, ...defaults });
  assert.deepEqual(presentConfig({ ...present, ...defaults, maxPods: 9 }), { ...present, ...defaults, maxPods: 9 });
  assert.deepEqual(presentRoster([{ node: layout1.nodes[0], agent: 1 }]), [{ node: present.nodes[0], agent: 1 }]);
  for (const broken of [undefined, "x", [1], [{ node: 1 }]]) assert.deepEqual(presentRoster(broken), broken);
});

test("migrateState() leaves a folder made now alone", () => {
  markLayout(folder);
  assert.deepEqual(migrateState(folder), []);
});

test("migrateState() refuses what a newer netloom made, and a number that is none", () => {
  write("layout.json", { layout: currentLayout + 1 });
  assert.throws(
    () => migrateState(folder),
    (error) => error instanceof StateLayoutError && /a newer netloom made it/.test(error.message),
  );
  write("layout.json", { layout: "two" });
  assert.throws(() => migrateState(folder), /holds no layout number/);
});
