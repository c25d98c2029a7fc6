/**
 * `npm run test:platform -- SYSTEM [USER] [-- COMMAND...]`: builds a system from Debian's packages, boots it in qemu, copies
 * this clone into it, runs the command there (`npm test` unless told otherwise) and ends it. Exits with the command's code.
 */
import { spawnSync } from "node:child_process";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { buildImage, imageOf, sshKey } from "./image.ts";
import { bootMachine, endMachine, isRunning, runInside } from "./machine.ts";
import { checkNeeds } from "./needs.ts";
import { ownProcessor, processors, systems, users } from "./systems.ts";
import type { ProcessorName, SystemName, User } from "./systems.ts";

const usage = `usage: npm run test:platform -- SYSTEM [USER] [options] [-- COMMAND...]

  SYSTEM  ${Object.keys(systems).join(", ")}
  USER    ${users.join(", ")}: "user" has ids in /etc/subuid, "plain" has none (default: root)
  COMMAND what to run in the clone inside (default: npm test)

  --arch ${Object.keys(processors).join("|")}   the machine's processor; a foreign one is emulated, slowly
  --accel kvm|tcg      full speed, or emulated (default: kvm for this machine's own processor)
  --append WORDS       further words for the kernel's command line
  --packages A,B       further Debian packages in the image
  --memory MB          (default: 4096)
  --with-packages      take this clone's node_modules along, where npm in the machine is too slow
  --machine NAME       machines of different names run side by side
  --keep               leave the machine running; the next call with --keep takes it up again
  --end                end a machine that was left running`;

const clone = join(dirname(fileURLToPath(import.meta.url)), "../..");

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { system, user, arch, accel, command, values } = readArguments();
  const folder = process.env["NETLOOM_PLATFORMS"] ?? join(homedir(), ".cache/netloom/platforms");
  const image = { system, arch, extraPackages: values.packages?.split(",") ?? [], folder };
  const name = values.machine ?? [system, arch, ...image.extraPackages].join("+");
  const machine = join(folder, "machines", name);
  if (values.end) {
    await endMachine(machine);
    return 0;
  }
  checkNeeds(arch, { build: !existsSync(imageOf(image).disk), accel });
  const key = sshKey(folder);
  const built = buildImage(image);
  const found = isRunning(machine);
  if (found && !values.keep) throw new Error(`The machine "${name}" runs; give --keep to use it, or --end to end it`);
  try {
    const memoryMb = Number(values.memory ?? 4096);
    const shared = values["with-packages"] ? join(clone, "node_modules") : undefined;
    await bootMachine({
      image: built,
      arch,
      folder: machine,
      key,
      append: values.append ?? "",
      memoryMb,
      accel,
      shared,
    });
    const copied =
      copyClone(machine, user) || (shared === undefined ? 0 : runInside(machine, "root", mountPackages(user)));
    return copied === 0 ? runInside(machine, user, `cd netloom && ${command}`) : copied;
  } finally {
    if (values.keep) console.error(`left running: ssh -F ${join(machine, "ssh_config")} ${user}@machine`);
    else await endMachine(machine);
  }
}

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      arch: { type: "string" },
      accel: { type: "string" },
      append: { type: "string" },
      packages: { type: "string" },
      memory: { type: "string" },
      machine: { type: "string" },
      "with-packages": { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      end: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [system = "", ...rest] = positionals;
  const user = users.find((one) => one === rest[0]);
  const command = (user === undefined ? rest : rest.slice(1)).join(" ") || "npm test";
  const arch = values.arch ?? ownProcessor();
  if (!(system in systems) || !(arch in processors)) throw new Error(`Cannot tell what to try\n\n${usage}`);
  const accel = values.accel ?? (arch === ownProcessor() ? "kvm" : "tcg");
  if (accel !== "kvm" && accel !== "tcg") throw new Error(`Cannot accelerate with "${accel}": give kvm or tcg`);
  return {
    system: system as SystemName,
    user: user ?? ("root" as const),
    arch: arch as ProcessorName,
    accel,
    command,
    values,
  } as const;
}

/** The clone as it stands, changes that are not committed included, without what git ignores; packages are fetched inside. */
function copyClone(machine: string, user: User): number {
  const { stdout, status } = spawnSync(
    "sh",
    [
      "-c",
      "git ls-files -z --cached --others --exclude-standard --deduplicate | tar --create --null --ignore-failed-read --files-from=-",
    ],
    { cwd: clone, maxBuffer: 1 << 30, stdio: ["ignore", "pipe", "inherit"] },
  );
  if (status !== 0) return status ?? 1;
  return runInside(machine, user, "mkdir -p netloom && tar --extract --directory netloom", stdout);
}

/** Every user's clone gets the same second disk; the lock file was unpacked just now, and the packages are its. */
function mountPackages(user: User): string {
  return `set -e
  mkdir -p /mnt/packages && { mountpoint -q /mnt/packages || mount /dev/vdb /mnt/packages; }
  mkdir -p /mnt/packages/.cache && chmod -R 1777 /mnt/packages/.cache && touch /mnt/packages/.package-lock.json
  clone=~${user}/netloom && mkdir -p "$clone/node_modules"
  mountpoint -q "$clone/node_modules" || mount --bind /mnt/packages "$clone/node_modules"`;
}
