/** The command `netloom httpbin`: what the catalog image kennethreitz/httpbin runs. */
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { systemClock } from "../../machinery/clock.ts";
import { createHttpbin } from "./server.ts";

class HttpbinArgumentError extends Error {
  readonly code = "InvalidArgument";
}

/** Serves until the signal aborts. Rejects where an argument is wrong or the port cannot be bound. */
export async function runHttpbin(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { host: { type: "string", default: "" }, port: { type: "string", default: "80" } },
  });
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535)
    throw new HttpbinArgumentError(`Cannot use port "${values.port}": write a number from 0 to 65535`);
  const server = createHttpbin({ host: values.host, port, clock: systemClock, servedBy: hostname() });
  const running = server.run(signal);
  await Promise.race([server.ready, running]);
  process.stdout.write(`Listening at: http://${values.host === "" ? "[::]" : values.host}:${server.port}\n`);
  await running;
}
