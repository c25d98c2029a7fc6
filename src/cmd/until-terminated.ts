/** A signal that aborts when the process is asked to end. */
export function untilTerminated(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => controller.abort(new Error(`the process was ended by ${name}`)));
  }
  return controller.signal;
}
