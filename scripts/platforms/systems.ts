/** Which systems can be tried: what mmdebstrap and qemu have to be told of each release and processor. */

export interface System {
  readonly suite: string;
  /** The package that drags in the release's newest stock kernel, without the processor's name. */
  readonly kernelPackage: string;
}

export const systems = {
  "debian-11": { suite: "bullseye", kernelPackage: "linux-image" },
  "debian-12": { suite: "bookworm", kernelPackage: "linux-image" },
  "debian-13": { suite: "trixie", kernelPackage: "linux-image" },
} as const satisfies Record<string, System>;

export type SystemName = keyof typeof systems;

export interface Processor {
  /** Node's name for it, which is also the end of the npm package's name that brings a Node. */
  readonly node: string;
  readonly qemu: string;
  readonly machine: readonly string[];
  /** What qemu emulates where there is no KVM for it. */
  readonly emulated: string;
  readonly console: string;
}

/** By Debian's names. */
export const processors = {
  amd64: { node: "x64", qemu: "qemu-system-x86_64", machine: ["-machine", "q35"], emulated: "max", console: "ttyS0" },
  arm64: {
    node: "arm64",
    qemu: "qemu-system-aarch64",
    machine: ["-machine", "virt"],
    // Signing return addresses is most of what a Debian spends its time on, unless qemu may choose the algorithm.
    emulated: "max,pauth-impdef=on",
    console: "ttyAMA0",
  },
} as const satisfies Record<string, Processor>;

export type ProcessorName = keyof typeof processors;

/** Whom commands can run as; made by customize.sh. */
export const users = ["root", "user", "plain"] as const;
export type User = (typeof users)[number];

/** The processor this machine has, by Debian's name. */
export function ownProcessor(): ProcessorName {
  const own = Object.keys(processors).find((name) => processors[name as ProcessorName].node === process.arch);
  if (own === undefined) throw new Error(`Cannot tell Debian's name of the processor "${process.arch}"; give --arch`);
  return own as ProcessorName;
}

/** What every system gets beside its kernel: an ordinary server's base, and no program netloom is to fetch itself. */
export const packages = (
  "systemd-sysv dbus dbus-user-session libpam-systemd udev kmod sudo openssh-server " +
  "iproute2 procps curl git ca-certificates uidmap"
).split(" ");
