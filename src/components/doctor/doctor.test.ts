import assert from "node:assert/strict";
import { test } from "node:test";
import { examine, type Finding, type Machine } from "./index.ts";

/** A machine on which all is well; tests take something away. */
function machineWith(changes: Partial<Machine> = {}, files: Readonly<Record<string, string>> = {}): Machine {
  const present: Readonly<Record<string, string>> = {
    "/proc/sys/user/max_user_namespaces": "15000",
    "/proc/sys/fs/inotify/max_user_instances": "128",
    "/proc/self/limits": "Max open files            1024                 1048576              files",
    "/proc/meminfo": "MemTotal: 1 kB\nMemAvailable:   4194304 kB",
    "/etc/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh",
    "/etc/subuid": "alice:100000:65536",
    "/etc/subgid": "alice:100000:65536",
    ...files,
  };
  return {
    uid: 1000,
    architecture: "x64",
    kernelRelease: "6.1.0-18-amd64",
    nodeVersion: "v24.1.0",
    read: (path) => present[path],
    exists: (path) => path === "/sys/fs/cgroup/cgroup.controllers",
    run: () => ({ status: 0, output: "some program version 1.2.3" }),
    tool: (name) => ({ path: `/usr/bin/${name}`, env: {} }),
    library: (name) => `/usr/lib/${name}`,
    freeMemoryBytes: () => 2 ** 32,
    disk: () => ({ freeBytes: 2 ** 36, freeInodes: 10 ** 6, isReadOnly: false }),
    listenError: () => Promise.resolve(undefined),
    ...changes,
  };
}

const everything = ["tmpfs", "overlay", "veth", "nf_tables: nat", "nf_tables: fib"].map((name) => ({ name }));

async function examined(
  machine: Machine,
  options: Partial<Omit<Parameters<typeof examine>[0], "machine">> = {},
): Promise<(name: string) => Finding> {
  const findings = await examine({
    machine,
    isRootless: true,
    folders: { stateRoot: "/home/alice/.local/state/netloom", runRoot: "/run/user/1000/netloom", toolsDir: "/tools" },
    namespaceRemedy: "allow user namespaces",
    trials: { results: everything },
    ...options,
  });
  for (const finding of findings) {
    assert.equal(
      finding.remedy === undefined,
      finding.verdict === "ok",
      `${finding.name} has a remedy when it needs one`,
    );
  }
  return (name) => {
    const found = findings.find((finding) => finding.name === name);
    assert.ok(found, `no finding "${name}" among ${findings.map((finding) => finding.name).join(", ")}`);
    return found;
  };
}

test("examine() finds nothing wrong with a good machine", async () => {
  const of = await examined(machineWith());
  for (const name of ["linux", "nf_tables", "crun", "disk", "id mapping", "loopback network", "cgroups"])
    assert.equal(of(name).verdict, "ok", of(name).detail);
  assert.equal(of("crun").detail, "1.2.3, /usr/bin/crun");
  assert.equal(of("nf_tables").detail, "tried: nat, fib");
});

test("examine() names the piece of nf_tables that the kernel lacks", async () => {
  const results = [{ name: "nf_tables: nat" }, { name: "nf_tables: fib", error: "No such file or directory" }];
  const of = await examined(machineWith(), { trials: { results } });
  assert.equal(of("nf_tables").verdict, "fail");
  assert.equal(of("nf_tables").detail, "fib: No such file or directory");
});

test("examine() gives the reason where namespaces are refused, and tells nothing about what was not tried", async () => {
  const findings = await examine({
    machine: machineWith(),
    isRootless: true,
    folders: { stateRoot: "/s", runRoot: "/r", toolsDir: "/tools" },
    namespaceRemedy: "allow user namespaces",
    trials: { refusal: "unshare: Operation not permitted" },
  });
  const of = (name: string): Finding | undefined => findings.find((finding) => finding.name === name);
  assert.deepEqual(of("user namespaces"), {
    group: "users",
    name: "user namespaces",
    verdict: "fail",
    detail: "unshare: Operation not permitted",
    remedy: "allow user namespaces",
  });
  assert.equal(of("nf_tables"), undefined);
});

const cases: readonly (readonly [
  what: string,
  machine: Machine,
  name: string,
  verdict: Finding["verdict"],
  detail: RegExp,
])[] = [
  ["an old kernel without root", machineWith({ kernelRelease: "5.4.0" }), "linux", "fail", /5\.4\.0/],
  ["an old kernel between", machineWith({ kernelRelease: "5.10.0-28" }), "linux", "fail", /5\.10/],
  ["an old Node", machineWith({ nodeVersion: "v20.19.2" }), "node", "fail", /v20/],
  ["WSL", machineWith({ kernelRelease: "5.15.90.1-microsoft-standard-WSL2" }), "linux", "ok", /Windows Subsystem/],
  [
    "a missing program",
    machineWith({ tool: (name) => (name === "crun" ? undefined : { path: "/x", env: {} }) }),
    "crun",
    "fail",
    /not found/,
  ],
  [
    "a missing program for an image",
    machineWith({ tool: (name) => (name === "nginx" ? undefined : { path: "/x", env: {} }) }),
    "nginx",
    "warning",
    /image nginx/,
  ],
  [
    "a fetched program",
    machineWith({ tool: (name) => ({ path: `/tools/usr/bin/${name}`, env: {} }) }),
    "conmon",
    "ok",
    /\(fetched\)/,
  ],
  [
    "a program that does not run",
    machineWith({ run: () => ({ status: undefined, output: "ENOEXEC" }) }),
    "crun",
    "fail",
    /does not run/,
  ],
  ["no ids to map", machineWith({}, { "/etc/subuid": "bob:1:5" }), "id mapping", "warning", /no ids to map/],
  [
    "a full disk",
    machineWith({ disk: () => ({ freeBytes: 5e6, freeInodes: 1e6, isReadOnly: false }) }),
    "disk",
    "fail",
    /5 MB free/,
  ],
  [
    "a read-only disk",
    machineWith({ disk: () => ({ freeBytes: 5e9, freeInodes: 1e6, isReadOnly: true }) }),
    "disk",
    "fail",
    /read-only/,
  ],
  [
    "few inodes",
    machineWith({ disk: () => ({ freeBytes: 5e9, freeInodes: 5, isReadOnly: false }) }),
    "disk",
    "fail",
    /only 5 inodes/,
  ],
  ["little memory", machineWith({}, { "/proc/meminfo": "MemAvailable: 1024 kB" }), "memory", "warning", /^1 MB/],
  [
    "few inotify instances",
    machineWith({}, { "/proc/sys/fs/inotify/max_user_instances": "8" }),
    "inotify instances",
    "warning",
    /is 8/,
  ],
  [
    "no loopback",
    machineWith({ listenError: () => Promise.resolve("EADDRNOTAVAIL") }),
    "loopback network",
    "fail",
    /EADDRNOTAVAIL/,
  ],
  [
    "a busy API port",
    machineWith({ listenError: (host) => Promise.resolve(host === "127.0.0.1" ? "EADDRINUSE" : undefined) }),
    "API port",
    "ok",
    /next free/,
  ],
];
for (const [what, machine, name, verdict, detail] of cases) {
  test(`examine() judges ${what}`, async () => {
    const of = await examined(machine);
    assert.equal(of(name).verdict, verdict);
    assert.match(of(name).detail, detail);
  });
}

test("examine() needs no user namespaces for root", async () => {
  const of = await examined(machineWith({ uid: 0, kernelRelease: "5.10.0" }), { isRootless: false });
  assert.equal(of("linux").verdict, "ok");
  assert.match(of("id mapping").detail, /^not needed/);
});

test("examine() tells of AppArmor's restriction where it bites", async () => {
  const files = {
    "/sys/module/apparmor/parameters/enabled": "Y",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
  };
  const of = await examined(machineWith({}, files), { trials: { refusal: "EPERM" } });
  assert.equal(of("AppArmor").verdict, "fail");
  assert.equal((await examined(machineWith({}, files)))("AppArmor").verdict, "ok");
});

test("examine() tells where the remedy of refused namespaces is", async () => {
  const remedyOf = async (refusal: string, isRootless: boolean): Promise<string | undefined> =>
    (await examined(machineWith(), { trials: { refusal }, isRootless }))("namespaces").remedy;
  assert.match((await remedyOf("unshare failed: No space left on device", false)) ?? "", /a limit is reached/);
  assert.match((await remedyOf("spawnSync unshare ENOENT", true)) ?? "", /see what is missing under programs/);
  assert.match((await remedyOf("unshare failed: Operation not permitted", false)) ?? "", /--privileged/);
  assert.match((await remedyOf("unshare failed: Operation not permitted", true)) ?? "", /under users/);
});

test("examine() tries no id mapping where user namespaces are refused: unshare would hang", async () => {
  const machine = machineWith({ run: () => ({ status: undefined, output: "spawnSync unshare ETIMEDOUT" }) });
  const of = await examined(machine, { trials: { refusal: "unshare failed: No space left on device" } });
  assert.match(of("id mapping").detail, /not tried without user namespaces$/);
  assert.equal(of("id mapping").verdict, "ok");
});

test("examine() grants ids to the user whom the machine knows, whatever its environment says", async () => {
  const of = await examined(machineWith({ uid: 1000 }, { "/etc/subuid": "bob:100000:65536" }));
  assert.match(of("id mapping").remedy ?? "", /--add-subgids 100000-165535 alice$/);
});
