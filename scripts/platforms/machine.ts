/** A virtual machine of qemu: boots from a layer above an image, takes commands over ssh on a loopback port, is ended. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Image } from "./image.ts";
import { run } from "./run.ts";
import { processors } from "./systems.ts";
import type { ProcessorName, User } from "./systems.ts";

export interface MachineOptions {
  readonly image: Image;
  readonly arch: ProcessorName;
  /** Holds the layer, the console's log, the monitor's socket and the ssh configuration. */
  readonly folder: string;
  readonly key: string;
  /** Further words for the kernel's command line. */
  readonly append: string;
  readonly memoryMb: number;
  /** "kvm" runs at full speed; "tcg" emulates, for a foreign processor and where KVM cannot run a stock kernel. */
  readonly accel: Accelerator;
  /** A folder that the machine gets as its second disk, /dev/vdb, to write to as it likes. */
  readonly shared: string | undefined;
}

/** Emulation of a foreign processor is some twenty times slower than KVM. */
const bootDeadlineMs = { kvm: 120_000, tcg: 900_000 } as const;

export type Accelerator = keyof typeof bootDeadlineMs;

/** Boots, and returns once a command has been answered. Where the folder's machine runs already, it is that one. */
export async function bootMachine(options: MachineOptions): Promise<void> {
  if (isRunning(options.folder)) return;
  const { image, arch, folder, accel } = options;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const layer = join(folder, "layer.qcow2");
  run("qemu-img", ["create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", layer]);
  const shared = options.shared === undefined ? [] : [join(folder, "shared.raw")];
  for (const disk of shared) {
    run("truncate", ["--size=2G", disk]);
    run("mkfs.ext4", ["-q", "-F", "-d", options.shared ?? "", disk]);
  }
  const port = await freePort();
  writeFileSync(join(folder, "ssh_config"), sshConfig(port, options.key));
  const { qemu, machine, emulated, console: terminal } = processors[arch];
  run(qemu, [
    ...machine,
    ...(accel === "kvm" ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg,thread=multi", "-cpu", emulated]),
    ...`-smp 2 -m ${options.memoryMb} -display none -vga none -daemonize -device virtio-rng-pci`.split(" "),
    ...flag("-pidfile", join(folder, "qemu.pid")),
    ...flag("-serial", `file:${join(folder, "console.log")}`),
    ...flag("-monitor", `unix:${join(folder, "monitor.sock")},server,nowait`),
    ...flag("-kernel", image.kernel),
    ...flag("-initrd", image.initrd),
    ...flag("-append", `root=/dev/vda rw console=${terminal} ${options.append}`.trimEnd()),
    ...flag("-drive", `file=${layer},if=virtio,format=qcow2,discard=unmap`),
    ...shared.flatMap((disk) => flag("-drive", `file=${disk},if=virtio,format=raw`)),
    ...flag("-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:22`),
    ...flag("-device", "virtio-net-pci,netdev=net"),
  ]);
  await untilAnswered(options);
}

/** Runs a shell command inside, with this terminal or with `input` as its standard input; returns its exit code. */
export function runInside(folder: string, user: User, command: string, input?: Buffer): number {
  const { status } = spawnSync("ssh", [...sshArguments(folder, user), command], {
    stdio: [input === undefined ? "inherit" : "pipe", "inherit", "inherit"],
    input,
  });
  return status ?? 1;
}

export const sshArguments = (folder: string, user: User): readonly string[] => [
  "-F",
  join(folder, "ssh_config"),
  `${user}@machine`,
];

/** Pulls the plug; the folder with the layer goes too. */
export async function endMachine(folder: string): Promise<void> {
  if (isRunning(folder)) {
    await tellMonitor(folder, "quit");
    while (isRunning(folder)) await delay(100);
  }
  rmSync(folder, { recursive: true, force: true });
}

export function isRunning(folder: string): boolean {
  const file = join(folder, "qemu.pid");
  if (!existsSync(file)) return false;
  const pid = readFileSync(file, "utf8").trim();
  const commandLine = `/proc/${pid}/cmdline`;
  return existsSync(commandLine) && readFileSync(commandLine, "utf8").includes(folder);
}

async function untilAnswered({ folder, accel }: MachineOptions): Promise<void> {
  const deadline = performance.now() + bootDeadlineMs[accel];
  const log = join(folder, "console.log");
  while (performance.now() < deadline) {
    if (!isRunning(folder)) throw new Error(`Cannot boot: qemu ended; see ${log}`);
    const { status } = spawnSync("ssh", [...sshArguments(folder, "root"), "true"], { stdio: "ignore" });
    if (status === 0) return;
    await delay(500);
  }
  // A KVM of its own kind, as inside some virtual machines, stops at the first instruction it does not know.
  const hint = accel === "kvm" ? "; where KVM itself fails (an empty log), emulate with --accel tcg" : "";
  throw new Error(`Cannot reach the machine in ${bootDeadlineMs[accel] / 1000} s; see ${log}${hint}`);
}

const flag = (name: string, value: string): readonly string[] => [name, value];

function tellMonitor(folder: string, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(folder, "monitor.sock"));
    socket.once("error", reject);
    socket.once("close", () => resolve());
    socket.resume();
    socket.end(`${command}\n`);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

const sshConfig = (port: number, key: string): string =>
  [
    "Host machine",
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  IdentityFile ${key}`,
    ...["IdentitiesOnly yes", "StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR"].map(
      (line) => `  ${line}`,
    ),
    "  ConnectTimeout 5",
    "  ServerAliveInterval 15",
    "",
  ].join("\n");
