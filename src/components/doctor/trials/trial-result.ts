/** One thing tried in scratch namespaces. */
export interface TrialResult {
  /** "veth", "nf_tables: nat". */
  readonly name: string;
  /** Undefined: it worked. */
  readonly error?: string;
}
