/** The port to durable storage: an append-only log of versions, written batch by batch. */

/** One version. A tombstone (`isDeleted`) keeps the last state for the watchers. */
export interface LogRow {
  readonly revision: number;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly isDeleted: boolean;
  readonly text: string;
}

/** What one transaction writes. */
export interface LogBatch {
  readonly rows: readonly LogRow[];
  /** Revisions of rows that nobody can ask for any more. */
  readonly forget: readonly number[];
  /** Resource -> revision up to which its history is gone. */
  readonly compacted: ReadonlyMap<string, number>;
}

/** What was in the log when it was opened. */
export interface LogContent {
  /** In the order of their revisions. */
  readonly rows: readonly LogRow[];
  readonly compacted: ReadonlyMap<string, number>;
}

export interface WriteLog {
  /** Resolves when the batch survives a crash; rejects when nothing of it was written. One call at a time. */
  commit(batch: LogBatch): Promise<void>;
  close(): Promise<void>;
}

/** Keeps nothing: for tests and for clusters that need not survive. */
export const volatileLog: WriteLog = {
  commit: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
