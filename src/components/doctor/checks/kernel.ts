/** What the kernel must do: asked by doing it. */
import type { Check, Patient } from "../check.ts";
import { fail, ok, type Outcome, warning } from "../finding.ts";

/** Overlays in a user namespace came with 5.11, upstream's own floor for them too. */
const rootlessKernel = [5, 11] as const;
/** Maps whose values are verdicts and whose keys are concatenations with intervals. */
const oldestKernel = [5, 6] as const;

const kernel: Check = {
  name: "linux",
  examine: ({ machine, isRootless }) => {
    const [major = 0, minor = 0] = machine.kernelRelease.split(/[.-]/).map(Number);
    const isAtLeast = ([wantedMajor, wantedMinor]: readonly [number, number]): boolean =>
      major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
    const isWsl = /microsoft/i.test(machine.kernelRelease);
    const detail = `${machine.kernelRelease}, ${machine.architecture}${isWsl ? ", Windows Subsystem for Linux" : ""}`;
    if (!isAtLeast(oldestKernel)) return fail(detail, "netloom needs Linux 5.6 or newer: update the kernel");
    if (isRootless && !isAtLeast(rootlessKernel)) {
      return fail(detail, "without root netloom needs Linux 5.11 or newer: update the kernel, or run netloom as root");
    }
    if (!["x64", "arm64"].includes(machine.architecture)) {
      return warning(detail, "netloom is tried on x86-64, and made for arm64 too; expect trouble on others");
    }
    return ok(detail);
  },
};

/** unshare(1) says of a limit that there is no space left. */
function remedyOf(refusal: string, isRootless: boolean): string {
  if (/No space left on device/.test(refusal)) {
    return "a limit is reached, or is 0: see the namespaces under machine, and user.max_pid_namespaces";
  }
  if (/ENOENT/.test(refusal)) return "see what is missing under programs, and machine: disk";
  return isRootless
    ? "see the remedy under users: user namespaces"
    : "a sandbox forbids them: in a container run it with --privileged";
}

const namespaces: Check = {
  name: "namespaces",
  examine: ({ trials, isRootless }) => {
    if ("refusal" in trials) return fail(trials.refusal, remedyOf(trials.refusal, isRootless));
    return ok(isRootless ? "user, mount, PID and network, made in a trial" : "mount, PID and network, made in a trial");
  },
};

/** `essential` false: no part of this release needs it. */
function tried(name: string, remedy: string, options: { readonly isEssential?: boolean } = {}): Check {
  return { name, examine: (patient) => outcomeOf(name, patient, { remedy, ...options }) };
}

function outcomeOf(
  name: string,
  { trials }: Patient,
  { remedy, isEssential = true }: { readonly remedy: string; readonly isEssential?: boolean },
): Outcome | undefined {
  if ("refusal" in trials) return undefined;
  const of = trials.results.filter((result) => result.name === name || result.name.startsWith(`${name}: `));
  const failed = of.filter(({ error }) => error !== undefined);
  // What was not tried depends on something that failed, and that is told in its own row.
  if (of.length === 0) return undefined;
  if (failed.length > 0) {
    const detail = failed
      .map((result) => (result.name === name ? result.error : `${result.name.slice(name.length + 2)}: ${result.error}`))
      .join("; ");
    return isEssential ? fail(detail, remedy) : warning(detail, remedy);
  }
  const parts = of.filter((result) => result.name !== name).map((result) => result.name.slice(name.length + 2));
  return ok(parts.length === 0 ? "tried" : `tried: ${parts.join(", ")}`);
}

const modprobe = (module: string): string =>
  `load the module, once with "sudo modprobe ${module}" and for good with a line "${module}" in /etc/modules-load.d/netloom.conf`;

export const kernelChecks: readonly Check[] = [
  kernel,
  namespaces,
  tried("tmpfs", "a sandbox forbids mounts: in a container run it with --privileged or seccomp=unconfined"),
  tried("overlay", modprobe("overlay")),
  tried("network namespace", "a sandbox forbids network namespaces: run netloom outside of it, or with --privileged"),
  tried("rtnetlink", "a sandbox forbids netlink sockets: run netloom outside of it"),
  tried("veth", modprobe("veth")),
  tried("bridge", modprobe("bridge")),
  tried("routes", "the kernel lacks policy routing (CONFIG_IP_MULTIPLE_TABLES): use a distribution's kernel"),
  tried("sysctls", "/proc/sys/net cannot be written: in a container add --security-opt systempaths=unconfined"),
  tried("libnftables", 'install libnftables1, or run "netloom setup" once, which fetches it'),
  tried("nf_tables", `${modprobe("nf_tables")}; WSL2 has it from kernel 5.15 on: "wsl --update"`),
  tried("conntrack", modprobe("nf_conntrack_netlink")),
  tried(
    "ipv6",
    'only "up --ip-family ipv6" and "dual" need it: boot the kernel without "ipv6.disable=1"; in a container allow writing to /proc/sys/net/ipv6',
    { isEssential: false },
  ),
  tried("vxlan", `only "up --network vxlan" needs it: ${modprobe("vxlan")}`, { isEssential: false }),
];
