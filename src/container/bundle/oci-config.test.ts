import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ContainerSpec } from "../runtime.ts";
import { capabilitiesOf, containerCapabilities } from "./capabilities.ts";
import { ociConfig } from "./oci-config.ts";

/** All 41 of Linux 6. */
const every = (1n << 41n) - 1n;

const spec: ContainerSpec = {
  id: "0".repeat(64),
  pod: { namespace: "shop", name: "web", uid: "6a2f" },
  name: "nginx",
  attempt: 0,
  image: {
    id: "sha256:1",
    name: "docker.io/library/nginx:latest",
    repoDigest: "",
    sizeBytes: 0,
    source: "catalog",
    entrypoint: [],
    command: ["nginx"],
    env: ["PATH=/usr/sbin:/usr/bin", "LANG=C", "HOME=/image"],
    workingDir: "/image",
    user: "",
    stopSignal: "SIGQUIT",
    warnings: [],
  },
  argv: ["nginx", "-g", "daemon off;"],
  env: ["LANG=C.UTF-8", "EMPTY="],
  workingDir: "",
  user: undefined,
  hasTerminal: false,
  hasStdin: false,
  stdinOnce: false,
  mounts: [{ source: "/node/hosts", target: "/etc/hosts", isReadOnly: false }],
  networkNamespacePath: "/netns/pod-6a2f",
  hostname: "web",
  isPrivileged: false,
  isRootReadOnly: true,
  addedCapabilities: ["NET_ADMIN"],
  droppedCapabilities: ["ALL"],
  logPath: "/log",
};

const plan = (changes: Partial<ContainerSpec>, isRootless = false) =>
  ociConfig({
    spec: { ...spec, ...changes },
    rootPath: "/rootfs",
    user: { uid: 0, gid: 0, supplementalGroups: [7], home: "/root" },
    extraMounts: [{ source: "/opt/x", target: "/opt/x", isReadOnly: true }],
    capabilities: every,
    podNamespaces: { uts: "/pods/6a2f/uts", ipc: "/pods/6a2f/ipc" },
    isRootless,
    lastGroupId: isRootless ? 65_535 : 4_294_967_294,
    ownOomScoreAdj: 0,
  });

test("ociConfig() plans the whole bundle", () => {
  const golden = new URL("./oci-config.golden.json", import.meta.url);
  assert.deepEqual(plan({}), JSON.parse(readFileSync(golden, "utf8")));
});

test("ociConfig() leaves out what a user namespace cannot have", () => {
  const config = plan({}, true);
  assert.equal(config.process.user.additionalGids, undefined);
  const terminals = config.mounts.find(({ destination }) => destination === "/dev/pts");
  assert.deepEqual(terminals?.options, ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]);
  assert.equal(config.linux.sysctl["net.ipv4.ping_group_range"], "0 65535");
});

test("ociConfig() opens everything to a privileged container", () => {
  const { linux, process, mounts } = plan({ isPrivileged: true });
  assert.deepEqual([linux.maskedPaths, linux.readonlyPaths], [[], []]);
  assert.equal(process.capabilities.bounding.length, 41);
  assert.ok(mounts.find(({ destination }) => destination === "/sys")?.options.includes("rw"));
});

test("ociConfig() takes working folder, privileges and sysctls from the pod where it sets them", () => {
  const { process, linux } = plan({
    workingDir: "/pod",
    hasNoNewPrivileges: true,
    sysctls: { "net.ipv4.ip_unprivileged_port_start": "1024" },
  });
  assert.equal(process.cwd, "/pod");
  assert.equal(process.noNewPrivileges, true);
  assert.equal(linux.sysctl["net.ipv4.ip_unprivileged_port_start"], "1024");
});

test("containerCapabilities() adds to and takes from containerd's default", () => {
  const ofContainer = (added: readonly string[], dropped: readonly string[]): readonly string[] =>
    containerCapabilities({ isPrivileged: false, added, dropped, available: every });
  assert.equal(ofContainer([], []).length, 14);
  assert.deepEqual(ofContainer([], ["ALL"]), []);
  assert.deepEqual(ofContainer(["NET_BIND_SERVICE"], ["ALL"]), ["CAP_NET_BIND_SERVICE"]);
  assert.deepEqual(
    ofContainer(["net_admin", "CAP_SYS_TIME"], []).filter((name) => /ADMIN|TIME/.test(name)),
    ["CAP_NET_ADMIN", "CAP_SYS_TIME"],
  );
  assert.ok(!ofContainer(["ALL"], ["NET_RAW"]).includes("CAP_NET_RAW"));
  assert.equal(ofContainer(["ALL"], ["NET_RAW"]).length, 40);
});

test("containerCapabilities() gives of all only what there is, and asks for what is named", () => {
  const status = "Name:\tnode\nCapPrm:\t000001fffeffffff\nCapEff:\t000001fffeffffff\nCapBnd:\t000001fffeffffff\n";
  const available = capabilitiesOf(status);
  assert.equal(available, every & ~(1n << 24n));
  const privileged = containerCapabilities({ isPrivileged: true, added: [], dropped: [], available });
  assert.deepEqual([privileged.length, privileged.includes("CAP_SYS_RESOURCE")], [40, false]);
  const added = containerCapabilities({ isPrivileged: false, added: ["SYS_RESOURCE"], dropped: ["ALL"], available });
  assert.deepEqual(added, ["CAP_SYS_RESOURCE"], "who asks for it by name hears that it cannot be had");
  const bare = containerCapabilities({ isPrivileged: false, added: [], dropped: [], available: 0n });
  assert.deepEqual(bare, []);
});

test("ociConfig() gives a container the OOM score it is to have, as far as an unprivileged process may", () => {
  assert.equal(plan({ oomScoreAdj: 1000 }).process.oomScoreAdj, 1000);
  assert.equal(plan({ oomScoreAdj: -997 }).process.oomScoreAdj, 0);
  assert.equal("oomScoreAdj" in plan({}).process, false);
});
