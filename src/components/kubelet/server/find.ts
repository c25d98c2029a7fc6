/** Finds what a request's path names. */
import type { PodWorker } from "../pods/pod-worker.ts";
import type { PodWorkers } from "../pods/pod-workers.ts";
import { HttpError } from "./http-error.ts";

/** Throws `HttpError` 404. */
export function findPod(workers: Pick<PodWorkers, "find">, namespace: string, name: string): PodWorker {
  const worker = workers.find(namespace, name);
  if (worker === undefined) throw new HttpError(404, `pod "${name}" not found`);
  return worker;
}

/** The id of the container's running process. Throws `HttpError` 404 where it has none, 500 where it has ended. */
export function findRunning(worker: PodWorker, container: string): string {
  const run = worker.run(container, false);
  if (run === undefined) throw new HttpError(404, `container not found ("${container}")`);
  if (!run.isRunning) throw new HttpError(500, `container "${container}" is not running: it has ended`);
  return run.id;
}
