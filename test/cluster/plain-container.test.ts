/**
 * In CI a cluster runs inside somebody's container. Here it does inside containers as Docker makes them, but for
 * seccomp, which only takes calls away: with its default rights and nothing masked, as root and as a user; privileged;
 * and with masked paths, which is refused with the remedy.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { lookUpTool } from "../../src/machinery/tools.ts";
import { hostFolders } from "../../src/components/lab-host/index.ts";
import { root } from "./lab/lab.ts";

const crun = lookUpTool("crun", hostFolders().toolsDir);
const lack =
  process.getuid?.() === 0 && crun !== undefined ? false : "making containers of another runtime needs root and crun";
const folder = mkdtempSync(join(tmpdir(), "nl-ci-"));
before(() => {
  // A user of the container must get through to the bundle.
  chmodSync(folder, 0o755);
  for (const name of ["root", "scratch", "bundle"]) mkdirSync(join(folder, name));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Docker's: https://docs.docker.com/engine/containers/run/#runtime-privilege-and-linux-capabilities. */
const dockerCapabilities =
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE";
const privileged = `${dockerCapabilities} SYS_ADMIN NET_ADMIN SYS_PTRACE DAC_READ_SEARCH`;

interface Container {
  readonly uid?: number;
  readonly capabilities: string;
  readonly isMasked: boolean;
  readonly script: string;
}

function config({ uid = 0, capabilities, isMasked, script }: Container): object {
  const names = capabilities.split(" ").map((name) => `CAP_${name}`);
  const held = uid === 0 ? names : [];
  const kernelFiles = (destination: string, type: string, options: readonly string[] = []) => ({
    destination,
    type,
    source: type,
    options,
  });
  return {
    ociVersion: "1.0.0",
    process: {
      user: { uid, gid: uid },
      args: ["/bin/sh", "-ec", script],
      cwd: "/tmp",
      env: [`PATH=${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, "HOME=/tmp/home", "NO_COLOR=1"],
      capabilities: { bounding: names, effective: held, permitted: held },
    },
    root: { path: join(folder, "root") },
    mounts: [
      kernelFiles("/proc", "proc"),
      kernelFiles("/dev", "tmpfs", ["mode=755"]),
      kernelFiles("/dev/pts", "devpts", ["newinstance", "ptmxmode=0666"]),
      kernelFiles("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
      kernelFiles("/run", "tmpfs"),
      kernelFiles("/tmp", "tmpfs", ["mode=1777"]),
      { destination: root, type: "bind", source: root, options: ["rbind", "ro"] },
    ],
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
      ...(isMasked
        ? {
            maskedPaths: ["/proc/kcore", "/proc/keys"],
            readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
          }
        : {}),
    },
  };
}

/** The machine's own root below, so that its programs are there; in mount namespaces of the test's own. */
async function run(container: Container): Promise<{ readonly code: number | null; readonly output: string }> {
  writeFileSync(join(folder, "bundle/config.json"), JSON.stringify(config(container)));
  const scratch = join(folder, "scratch");
  const script = `mount -t tmpfs scratch ${scratch}
mkdir ${scratch}/upper ${scratch}/work
mount -t overlay root -o lowerdir=/,upperdir=${scratch}/upper,workdir=${scratch}/work ${folder}/root
mount -t tmpfs cgroup /sys/fs/cgroup
exec "$0" --root ${scratch}/crun --cgroup-manager=disabled run --bundle ${folder}/bundle nl-ci-${process.pid}`;
  const child = spawn("unshare", ["--mount", "/bin/sh", "-ec", script, crun?.path ?? ""], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...crun?.env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

const netloom = `node ${join(root, "bin/netloom.mjs")}`;
const lifecycle = `mkdir -p $HOME
${netloom} up --wait 60s
${netloom} status
${netloom} down
test -z "$(find $HOME/.local/state -type f)"`;

const working: readonly (readonly [string, Omit<Container, "script">])[] = [
  ["root in an unprivileged container", { capabilities: dockerCapabilities, isMasked: false }],
  ["a user in an unprivileged container", { uid: 1000, capabilities: dockerCapabilities, isMasked: false }],
  ["root in a privileged container", { capabilities: privileged, isMasked: false }],
];
for (const [who, container] of working) {
  test(`a cluster comes and goes, without a terminal, for ${who}`, { skip: lack }, async () => {
    const { code, output } = await run({ ...container, script: lifecycle });
    assert.equal(code, 0, output);
    assert.match(output, /ok: DNS answers/);
    assert.match(output, /node-3 +Ready/);
  });
}

test("a container with masked paths is refused, and told what it needs", { skip: lack }, async () => {
  const script = `mkdir -p $HOME; ${netloom} up || ${netloom} doctor`;
  const { code, output } = await run({ capabilities: dockerCapabilities, isMasked: true, script });
  assert.equal(code, 1, output);
  assert.match(output, /--security-opt seccomp=unconfined --security-opt systempaths=unconfined/);
  assert.match(output, /^fail +users +user namespaces/m);
});
