/** Brings one pod's status to the API: the newest wanted one, one write at a time, again until the server has it. */
import { ApiError } from "../../../api/status.ts";
import type { Pod, PodStatus } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import { backoffDelayMs } from "../../../machinery/backoff.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import { statusPatch } from "../../../model/pod-lifecycle/index.ts";

export interface StatusWriter {
  /** `pod` is the API's newest known copy: only differences to it are sent. */
  write(pod: Pod, wanted: PodStatus): void;
  /** Resolves once everything written before is with the server, or cannot be because the pod is gone. */
  flushed(): Promise<void>;
}

const backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.2 };

/** @param options.onWritten - Gets the server's answer, the pod's newest copy. */
export function createStatusWriter(options: {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onWritten: (pod: Pod) => void;
}): StatusWriter {
  const { client, clock, log, signal, onWritten } = options;
  let wanted: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  let sent = "";
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    try {
      await writeAll();
    } finally {
      // In the same turn as the last look for more: a write that comes later begins a new run.
      running = undefined;
    }
  }

  async function writeAll(): Promise<void> {
    let failures = 0;
    let base: Pod | undefined;
    while (wanted !== undefined && !signal.aborted) {
      const { pod, status } = wanted;
      const text = JSON.stringify(status);
      wanted = undefined;
      if (text === sent) continue;
      // The watch lags behind one's own writes: what the server just answered is newer.
      const patch = statusPatch(base ?? pod, status);
      if (patch === undefined) continue;
      try {
        base = await client.patch(
          resources.pods,
          keyOf(pod),
          { type: "strategic", body: patch },
          { subresource: "status", signal },
        );
        sent = text;
        failures = 0;
        onWritten(base);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return;
        log.warn("cannot write the pod's status, trying again", { pod: pod.metadata?.name, error });
        wanted ??= { pod, status };
        await clock.sleep(backoffDelayMs(backoff, failures), signal).catch(() => undefined);
        failures += 1;
      }
    }
  }

  return {
    write: (pod, status) => {
      wanted = { pod, status };
      running ??= run();
    },
    flushed: async () => {
      // A write that came during the last one makes the same run go round once more.
      await running;
    },
  };
}
