/** Asks resolvers outside of the cluster, and answers SERVFAIL at once where there is none that works. */
import { isInZone } from "../../../lib/dns-message/index.ts";
import type { ForwardConfig } from "../corefile/index.ts";
import { emptyReply } from "../handler.ts";
import type { Plugin, Reply, Request } from "../handler.ts";
import type { DnsMetrics } from "../metrics.ts";
import type { Upstream } from "./upstream.ts";

export interface ForwardPluginOptions {
  readonly config: ForwardConfig;
  /** In the order of the Corefile; may be empty. */
  readonly upstreams: readonly Upstream[];
  readonly metrics: DnsMetrics;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function forwardPlugin({ config, upstreams, metrics, random }: ForwardPluginOptions): Plugin {
  let underWay = 0;
  let turn = 0;
  const inOrder = (): readonly Upstream[] => {
    const healthy = upstreams.filter((upstream) => upstream.isHealthy);
    if (config.policy === "sequential" || healthy.length < 2) return healthy;
    const first = config.policy === "random" ? Math.floor(random() * healthy.length) : turn % healthy.length;
    turn += 1;
    return [...healthy.slice(first), ...healthy.slice(0, first)];
  };
  const ask = async (request: Request): Promise<Reply> => {
    underWay += 1;
    try {
      for (const upstream of inOrder()) {
        const reply = await upstream.ask(request, {
          useTcp: config.forceTcp || (request.transport === "tcp" && !config.preferUdp),
        });
        if (reply !== undefined) return reply;
      }
      return emptyReply("SERVFAIL", "forward");
    } finally {
      underWay -= 1;
    }
  };
  return (next) => (request) => {
    const isOurs = isInZone(request.name, config.from) && !config.except.some((zone) => isInZone(request.name, zone));
    if (!isOurs) return next(request);
    if (upstreams.length === 0) return emptyReply("SERVFAIL", "forward");
    if (config.maxConcurrent !== undefined && underWay >= config.maxConcurrent) {
      metrics.forwardRejects.add([]);
      return emptyReply("REFUSED", "forward");
    }
    return ask(request);
  };
}
