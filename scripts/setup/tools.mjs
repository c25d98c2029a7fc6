// Brings the programs netloom runs: the machine's own where it has them, else Debian's packages, unpacked into the
// tools folder without root and without starting anything. Plain JavaScript: it runs before npm has installed anything.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const triplet = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" }[process.arch];
const libraryFolders = [`/usr/lib/${triplet}`, `/lib/${triplet}`, "/usr/lib64", "/usr/lib", "/lib64"];

/** What is needed: a program or a library, and the Debian package that has it. */
const needs = [
  { program: "crun", package: "crun" },
  { program: "conmon", package: "conmon" },
  { program: "tini", package: "tini" },
  { library: "libnftables.so.1", package: "libnftables1" },
  { program: "busybox", package: "busybox-static" },
  { program: "nginx", package: "nginx-light" },
  { program: "apache2", package: "apache2-bin" },
  { program: "curl", package: "curl" },
  { program: "nft", package: "nftables" },
  { program: "kubectl", package: "kubernetes-client" },
  // util-linux, part of every Debian; named so that its absence elsewhere is said.
  { program: "unshare", package: "util-linux" },
  { program: "nsenter", package: "util-linux" },
];

export function toolsFolder(environment = process.env) {
  const data = environment.XDG_DATA_HOME?.startsWith("/") ? environment.XDG_DATA_HOME : join(homedir(), ".local/share");
  return join(data, "netloom/tools");
}

const programFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Absolute path of a program: the user's PATH, the system's folders, then the tools folder; undefined where nobody has it. */
export function findProgram(name, folder = toolsFolder()) {
  const path = (process.env.PATH ?? "")
    .split(":")
    .filter((entry) => entry.startsWith("/") && !entry.includes("node_modules"));
  const folders = [...path, ...programFolders, ...programFolders.map((one) => join(folder, one))];
  return folders.map((one) => join(one, name)).find(isExecutable);
}

function hasLibrary(name, folder) {
  return [...libraryFolders, ...libraryFolders.map((one) => join(folder, one))].some((one) =>
    existsSync(join(one, name)),
  );
}

const isPresent = (need, folder) =>
  need.program === undefined ? hasLibrary(need.library, folder) : findProgram(need.program, folder) !== undefined;

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 << 20, ...options });
  return {
    ok: result.status === 0,
    output: `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ? result.error.message : ""}`,
  };
}

/**
 * Installs what is missing. `say` gets a line per step. Throws an Error whose message names the exact command where
 * it cannot.
 */
export function installTools(say, folder = toolsFolder()) {
  const missing = needs.filter((need) => !isPresent(need, folder));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  const remedy = `install them: sudo apt-get install ${packages.join(" ")}`;
  const names = missing.map((need) => need.program ?? need.library).join(", ");
  if (findProgram("apt-get", folder) === undefined || findProgram("dpkg", folder) === undefined) {
    throw new Error(
      `This machine lacks ${names}, and has no apt-get to fetch them with; install the programs of Debian's packages ${packages.join(", ")}`,
    );
  }
  mkdirSync(join(folder, "apt/lists/partial"), { recursive: true });
  mkdirSync(join(folder, "apt/archives/partial"), { recursive: true });
  // The machine's own package lists where it has them; else lists of our own, which needs no root.
  let apt = [];
  let plan = simulate(apt, packages);
  if (!plan.ok) {
    say("reading Debian's package lists");
    apt = [
      "-o",
      `Dir::State::lists=${join(folder, "apt/lists")}`,
      "-o",
      `Dir::Cache=${join(folder, "apt")}`,
      "-o",
      "APT::Sandbox::User=",
      "-o",
      "Debug::NoLocking=1",
    ];
    const update = run("apt-get", [...apt, "-q", "update"]);
    if (!update.ok) throw new Error(`Cannot read Debian's package lists; ${remedy}\n${update.output.trim()}`);
    plan = simulate(apt, packages);
  }
  if (!plan.ok)
    throw new Error(`Cannot find Debian's packages ${packages.join(", ")}; ${remedy}\n${plan.output.trim()}`);
  say(`fetching ${plan.packages.length} Debian packages for ${names}`);
  const archives = join(folder, "apt/archives");
  const download = run("apt-get", [...apt, "-q", "-o", "APT::Sandbox::User=", "download", ...plan.packages], {
    cwd: archives,
  });
  if (!download.ok)
    throw new Error(`Cannot fetch Debian's packages ${plan.packages.join(", ")}; ${remedy}\n${download.output.trim()}`);
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    const unpack = run("dpkg-deb", ["-x", join(archives, file), folder]);
    if (!unpack.ok) throw new Error(`Cannot unpack ${file} into ${folder}: ${unpack.output.trim()}`);
    rmSync(join(archives, file));
  }
  const left = needs.filter((need) => !isPresent(need, folder));
  if (left.length > 0)
    throw new Error(
      `Still missing after unpacking: ${left.map((need) => need.program ?? need.library).join(", ")}; ${remedy}`,
    );
  writeFileSync(join(folder, "packages.txt"), `${plan.packages.join("\n")}\n`);
  say(`unpacked into ${folder}: ${plan.packages.join(" ")}`);
}

/** Which packages, with the dependencies this machine lacks, apt would install. */
function simulate(apt, packages) {
  const { ok, output } = run("apt-get", [
    ...apt,
    "-qq",
    "--no-install-recommends",
    "--simulate",
    "install",
    ...packages,
  ]);
  return { ok, output, packages: [...output.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]) };
}
