/** The checks are data: a name and a question to the machine. */
import type { TrialResult } from "./trials/trial-result.ts";
import type { Outcome } from "./finding.ts";
import type { Machine } from "./machine.ts";

/** What a check is asked about. */
export interface Patient {
  readonly machine: Machine;
  /** The cluster makes a user namespace: for everybody but root with all capabilities. */
  readonly isRootless: boolean;
  readonly folders: { readonly stateRoot: string; readonly runRoot: string; readonly toolsDir: string };
  /** Why user namespaces are refused here, with the remedy. */
  readonly namespaceRemedy: string;
  /** What really worked in namespaces made for the purpose; or why there are none. */
  readonly trials: { readonly results: readonly TrialResult[] } | { readonly refusal: string };
}

export interface Check {
  readonly name: string;
  /** Undefined: the question does not arise on this machine. */
  readonly examine: (patient: Patient) => Outcome | undefined | Promise<Outcome | undefined>;
}
