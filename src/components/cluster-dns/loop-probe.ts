/** Asks this server for the name that only its `loop` plugin knows. */
import { createSocket } from "node:dgram";
import { encodeMessage, queryMessage, recordTypes } from "../../lib/dns-message/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { LoopProbe } from "./pipeline.ts";

/** Sends and forgets: it is the question's coming back that tells. */
export function sendLoopProbe({ name, port }: LoopProbe, log: Logger): void {
  const question = encodeMessage(queryMessage({ id: 1, name, type: recordTypes.HINFO }));
  const socket = createSocket("udp4");
  socket.once("error", (error) => log.warn("cannot look for a forwarding loop", { plugin: "loop", error }));
  socket.send(question, port, "127.0.0.1", () => socket.close());
}
