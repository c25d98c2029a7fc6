/** The write log in a SQLite file, written by a Worker: a thread takes as long to start as the file to be read. */
import { Worker } from "node:worker_threads";
import type { WorkerAnswer, WorkerRequest } from "./sqlite-worker.ts";
import type { LogBatch, WriteLog } from "./write-log.ts";

/** From source the Worker is TypeScript too; the bundle lies beside its own. */
const workerUrl = new URL(
  import.meta.url.endsWith(".ts") ? "./sqlite-worker.ts" : "./sqlite-worker.js",
  import.meta.url,
);

export interface SqliteWriter {
  /** Opens the file, which nobody else may hold any more. A failure of that is a failure of the first commit. */
  open(): WriteLog;
  /** For a file that is not to be opened after all. */
  abandon(): void;
}

/** The thread starts at once, and touches nothing before `open`. */
export function startSqliteWriter(path: string): SqliteWriter {
  const worker = new Worker(workerUrl, { workerData: { path } });
  // One question at a time, so one waiting promise.
  let waiting: ((error: Error | undefined) => void) | undefined;
  let failure: Error | undefined;
  const settle = (error: Error | undefined): void => {
    waiting?.(error);
    waiting = undefined;
  };
  worker.on("message", (answer: WorkerAnswer) =>
    settle(answer.error === undefined ? undefined : new Error(answer.error)),
  );
  worker.on("error", (error: Error) => {
    failure = error;
    settle(error);
  });
  worker.on("exit", () => {
    failure ??= new Error("the writing thread has ended");
    settle(failure);
  });
  // An idle writer does not keep a process alive that has nothing else to do.
  worker.unref();

  const ask = (request: WorkerRequest): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) {
        reject(failure);
        return;
      }
      worker.ref();
      waiting = (error) => {
        worker.unref();
        if (error === undefined) resolve();
        else reject(error);
      };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker's port has no origin
      worker.postMessage(request);
    });

  return {
    open: () => {
      const opened = ask({ open: true });
      opened.catch((error: unknown) => {
        failure ??= error as Error;
      });
      return {
        commit: async (batch: LogBatch) => {
          await opened;
          await ask({ batch });
        },
        close: async () => {
          await opened.catch(() => undefined);
          if (failure === undefined) await ask({ close: true });
        },
      };
    },
    abandon: () => void worker.terminate(),
  };
}
