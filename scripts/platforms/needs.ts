/** What this machine must have to build and run such a machine; all that is missing is said at once. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Accelerator } from "./machine.ts";
import { ownProcessor, processors } from "./systems.ts";
import type { ProcessorName } from "./systems.ts";

const packageOf: Readonly<Record<string, string>> = {
  mmdebstrap: "mmdebstrap",
  "mkfs.ext4": "e2fsprogs",
  "qemu-img": "qemu-utils",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-system-aarch64": "qemu-system-arm",
  "qemu-aarch64-static": "qemu-user-static",
  "arch-test": "arch-test",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  npm: "npm",
};

interface Needs {
  /** Whether the image has to be built first. */
  readonly build: boolean;
  readonly accel: Accelerator;
}

/** Throws one Error that names everything that is missing, and the command that brings it. */
export function checkNeeds(arch: ProcessorName, { build, accel }: Needs): void {
  const isForeign = arch !== ownProcessor();
  const programs = ["qemu-img", processors[arch].qemu, "ssh", "ssh-keygen"];
  if (build) programs.push("mmdebstrap", "mkfs.ext4", "npm");
  if (build && isForeign) programs.push("arch-test");
  const missing = programs.filter((program) => !isProgram(program));
  const mistakes: string[] = [];
  if (missing.length > 0) {
    const names = [...new Set(missing.map((program) => packageOf[program] ?? program))];
    mistakes.push(`the programs ${missing.join(", ")} are missing; sudo apt-get install ${names.join(" ")}`);
  }
  if (accel === "kvm" && !canUse("/dev/kvm")) {
    mistakes.push(
      'this user cannot open /dev/kvm; load the module (modprobe kvm_intel, or kvm_amd), or "sudo usermod --append --groups kvm $USER" and log in anew; or emulate, some twenty times slower, with --accel tcg',
    );
  }
  if (mistakes.length > 0) throw new Error(`Cannot try another system here:\n  - ${mistakes.join("\n  - ")}`);
}

function isProgram(name: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => isAllowed(join(folder, name), constants.X_OK));
}

const canUse = (path: string): boolean => isAllowed(path, constants.R_OK | constants.W_OK);

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
