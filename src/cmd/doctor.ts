/** `netloom doctor`: examines the machine, and says what to do about what is missing. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  examine,
  type Finding,
  nearestFolder,
  openMachine,
  runTrials,
  type TrialResult,
} from "../components/doctor/index.ts";
import { hostFolders, namespaceRemedy, needsUserNamespace } from "../components/lab-host/index.ts";
import { selfCommand } from "./self.ts";
import { table } from "./table.ts";

export interface DoctorReport {
  readonly text: string;
  /** A cluster would start. */
  readonly isWell: boolean;
}

export async function doctor(format: "table" | "json" | "yaml"): Promise<DoctorReport> {
  const folders = hostFolders();
  const machine = openMachine(folders.toolsDir);
  const isRootless = needsUserNamespace();
  const findings = await examine({
    machine,
    isRootless,
    folders,
    namespaceRemedy: namespaceRemedy((name) => machine.read(`/proc/sys/${name}`) ?? ""),
    trials: tryInNamespaces(folders, isRootless),
  });
  const isWell = findings.every(({ verdict }) => verdict !== "fail");
  if (format === "table") return { text: report(findings), isWell };
  const { stringify } = await import("yaml");
  const value = { isWell, findings };
  return { text: format === "json" ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value), isWell };
}

function report(findings: readonly Finding[]): string {
  const rows = findings.map(({ group, name, verdict, detail }) => [verdict, group, name, detail]);
  const remedies = findings.flatMap(({ name, verdict, remedy }) =>
    remedy === undefined ? [] : [`${verdict}: ${name}: ${remedy}`],
  );
  const verdict = findings.some((finding) => finding.verdict === "fail")
    ? "A cluster would not start here. What to do:"
    : "A cluster can start here.";
  const advice = remedies.length === 0 ? [] : ["", ...remedies];
  return `${[table([["VERDICT", "GROUP", "CHECK", "FOUND"], ...rows]), "", verdict, ...advice].join("\n")}\n`;
}

/** Where the namespaces are refused the trials cannot be had, and the reason is told. */
function tryInNamespaces(
  folders: { readonly stateRoot: string; readonly toolsDir: string },
  isRootless: boolean,
): { readonly results: readonly TrialResult[] } | { readonly refusal: string } {
  let folder: string;
  try {
    folder = mkdtempSync(join(nearestFolder(folders.stateRoot), ".netloom-doctor-"));
  } catch (error) {
    return { refusal: `no folder for a trial can be made: ${(error as Error).message}` };
  }
  try {
    const namespaces = [...(isRootless ? ["--user", "--map-root-user"] : []), "--mount", "--net", "--pid", "--fork"];
    const trial = spawnSync(
      "unshare",
      [
        ...namespaces,
        "--mount-proc",
        "--",
        selfCommand.node,
        selfCommand.entry,
        "doctor-trial",
        folder,
        folders.toolsDir,
        isRootless ? "rootless" : "root",
      ],
      { encoding: "utf8", timeout: 30_000 },
    );
    if (trial.error !== undefined) return { refusal: trial.error.message };
    if (trial.status !== 0) return { refusal: trial.stderr.trim() };
    return { results: JSON.parse(trial.stdout) as readonly TrialResult[] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `netloom doctor-trial FOLDER TOOLS ROOTLESS`: runs in the scratch namespaces. */
export async function doctorTrial([folder = "", toolsDir = "", rootless = ""]: readonly string[]): Promise<void> {
  const results = runTrials({ folder, toolsDir, isRootless: rootless === "rootless" });
  await new Promise((resolve) => process.stdout.write(JSON.stringify(results), resolve));
}
