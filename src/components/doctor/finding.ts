/** What an examination comes to, one row of the report. */

/** `warning`: a cluster works, with what `detail` says it lacks. `fail`: no cluster starts before it is put right. */
export type Verdict = "ok" | "warning" | "fail";

export interface Finding {
  /** "kernel", "users", "programs", "machine". */
  readonly group: string;
  /** "nf_tables". */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found, for a person. */
  readonly detail: string;
  /** What to do about it; only where the verdict is not `ok`. */
  readonly remedy?: string;
}

export type Outcome = Omit<Finding, "group" | "name">;

export const ok = (detail: string): Outcome => ({ verdict: "ok", detail });
export const warning = (detail: string, remedy: string): Outcome => ({ verdict: "warning", detail, remedy });
export const fail = (detail: string, remedy: string): Outcome => ({ verdict: "fail", detail, remedy });
