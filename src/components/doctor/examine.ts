import type { Check, Patient } from "./check.ts";
import { kernelChecks } from "./checks/kernel.ts";
import { machineChecks } from "./checks/machine.ts";
import { programChecks } from "./checks/programs.ts";
import { userChecks } from "./checks/users.ts";
import type { Finding } from "./finding.ts";

const groups: readonly (readonly [group: string, checks: readonly Check[]])[] = [
  ["users", userChecks],
  ["kernel", kernelChecks],
  ["programs", programChecks],
  ["machine", machineChecks],
];

/** Every finding, in the order of the report; nothing is changed. */
export async function examine(patient: Patient): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [group, checks] of groups) {
    for (const { name, examine: ask } of checks) {
      const outcome = await ask(patient);
      if (outcome !== undefined) findings.push({ group, name, ...outcome });
    }
  }
  return findings;
}
