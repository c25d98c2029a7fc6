/** `/containerLogs/{namespace}/{pod}/{container}`. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { ContainerStatus } from "../../../api/generated/types.ts";
import { parseJsonLogLine, parseLogLine } from "../logs/log-line.ts";
import type { LogRecord } from "../logs/log-line.ts";
import type { LogOptions } from "../logs/log-options.ts";
import { LogOptionsError, parseLogOptions } from "../logs/log-options.ts";
import { readLog } from "../logs/read-log.ts";
import { containerLogPath } from "../pods/paths.ts";
import type { PodWorker } from "../pods/pod-worker.ts";
import { HttpError } from "./http-error.ts";

export async function serveLogs(
  response: ServerResponse,
  request: {
    readonly worker: PodWorker;
    readonly container: string;
    readonly query: URLSearchParams;
    readonly nodeRoot: string;
    readonly nowMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { worker, container, query, nodeRoot, nowMs, signal } = request;
  const options = optionsOf(query, nowMs);
  const { attempt, id } = chooseRun(worker, container, options.previous);
  const path = containerLogPath(nodeRoot, worker.pod, { name: container, attempt });
  await sendLog(response, {
    path,
    options,
    onEnded: (callback) => worker.onEnded(id, callback),
    parse: parseLogLine,
    signal,
  });
}

/** The log of a part of the node that a mirror pod shows; it never ends by itself. */
export async function serveMirrorLogs(
  response: ServerResponse,
  request: {
    readonly logFile: string;
    readonly query: URLSearchParams;
    readonly nowMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { logFile: path, query, nowMs, signal } = request;
  const onEnded = (): (() => void) => () => undefined;
  await sendLog(response, { path, options: optionsOf(query, nowMs), onEnded, parse: parseJsonLogLine, signal });
}

async function sendLog(
  response: ServerResponse,
  given: {
    readonly path: string;
    readonly options: LogOptions;
    readonly onEnded: (callback: () => void) => () => void;
    readonly parse: (line: Buffer) => LogRecord | undefined;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { path, options, onEnded, parse, signal } = given;
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const source = { onEnded, parse, signal: AbortSignal.any([gone.signal, signal]) };
  response.writeHead(200, { "Content-Type": "text/plain" });
  // The client learns at once that the log is there, even while it is empty.
  response.flushHeaders();
  for await (const text of readLog(path, options, source)) {
    if (!response.write(text)) await once(response, "drain", { signal: source.signal }).catch(() => undefined);
    if (source.signal.aborted) break;
  }
  response.end();
}

function optionsOf(query: URLSearchParams, nowMs: number): ReturnType<typeof parseLogOptions> {
  try {
    return parseLogOptions(query, nowMs);
  } catch (error) {
    if (error instanceof LogOptionsError) throw new HttpError(422, error.message);
    throw error;
  }
}

/** The run whose log is asked for, by upstream's rules. Throws `HttpError` 400 where there is none yet. */
function chooseRun(
  worker: PodWorker,
  container: string,
  isPrevious: boolean,
): { readonly attempt: number; readonly id: string } {
  const { name } = worker.pod.metadata ?? {};
  const status = statusOf(worker, container);
  if (status === undefined) throw new HttpError(404, `container "${container}" not found in pod "${name}"`);
  if (isPrevious) {
    const hasLast = status.lastState?.terminated !== undefined;
    if (!hasLast) throw new HttpError(400, `previous terminated container "${container}" in pod "${name}" not found`);
    // Of a container that waits to be started again, the last run is the newest there is.
    const run = worker.run(container, status.state?.waiting === undefined);
    if (run !== undefined) return run;
  }
  const current = worker.run(container, false);
  if (current !== undefined) return current;
  throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start${whyWaiting(status)}`);
}

function statusOf(worker: PodWorker, container: string): ContainerStatus | undefined {
  const {
    containerStatuses = [],
    initContainerStatuses = [],
    ephemeralContainerStatuses = [],
  } = worker.describe().status ?? {};
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    ({ name }) => name === container,
  );
}

function whyWaiting({ state }: ContainerStatus): string {
  switch (state?.waiting?.reason) {
    case undefined:
      return " - no logs yet";
    case "ErrImagePull":
      return ": image can't be pulled";
    case "ImagePullBackOff":
      return ": trying and failing to pull image";
    default:
      return `: ${state?.waiting?.reason}`;
  }
}
