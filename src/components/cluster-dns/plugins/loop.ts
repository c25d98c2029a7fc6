/**
 * Finds out at the start whether questions sent out come back: a forwarder that leads to this server. It asks for a name
 * only it knows; seen more than twice (once is its own question), there is a loop, and going on would be an endless one.
 */
import type { Plugin } from "../handler.ts";
import { emptyReply } from "../handler.ts";

const maxSeen = 2;

export interface LoopPluginOptions {
  /** The name nobody else asks for, canonical. */
  readonly name: string;
  readonly onLoop: () => void;
}

export function loopPlugin({ name, onLoop }: LoopPluginOptions): Plugin {
  let seen = 0;
  return (next) => (request) => {
    if (request.name !== name) return next(request);
    seen += 1;
    if (seen <= maxSeen) return next(request);
    onLoop();
    return emptyReply("REFUSED", "loop");
  };
}
