/** `netloom httpbin --port 80`: the server behind the catalog image `kennethreitz/httpbin`. */
import { runHttpbin } from "../components/httpbin/index.ts";
import { untilTerminated } from "./until-terminated.ts";

export async function httpbin(args: readonly string[]): Promise<void> {
  await runHttpbin(args, untilTerminated());
}
