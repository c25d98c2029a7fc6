/** Answers from the cluster's zone; follows aliases through the whole chain, as a resolver must. */
import { canonicalName, isInZone, rcodes } from "../../../lib/dns-message/index.ts";
import { answerQuestion } from "../../../model/dns-zone/index.ts";
import type { DnsZone, ZoneAnswer } from "../../../model/dns-zone/index.ts";
import type { KubernetesConfig } from "../corefile/index.ts";
import { emptyReply } from "../handler.ts";
import type { Handler, Plugin, Reply, Request } from "../handler.ts";

/** An alias to an alias to an alias …: CoreDNS gives up at eight too. */
const maxAliases = 8;

export interface KubernetesPluginOptions {
  readonly zone: DnsZone;
  readonly config: KubernetesConfig;
  /** Whether the zone holds what the API server has; before that, every answer could be wrong. */
  readonly hasSynced: () => boolean;
  /** The chain from its beginning, for the targets of aliases. */
  readonly resolve: Handler;
}

export function kubernetesPlugin({ zone, config, hasSynced, resolve }: KubernetesPluginOptions): Plugin {
  return (next) => (request) => {
    const answer = answerQuestion(zone, request);
    if (answer === undefined) return next(request);
    if (!hasSynced()) return emptyReply("SERVFAIL", "kubernetes");
    if (answer.rcode === "NXDOMAIN" && config.fallthrough.some((origin) => isInZone(request.name, origin)))
      return next(request);
    const reply = replyOf(answer);
    return answer.next === undefined ? reply : followAlias(reply, { request, target: answer.next, resolve });
  };
}

function replyOf({ rcode, answers, authorities, additionals }: ZoneAnswer): Reply {
  return {
    rcode: rcodes[rcode],
    isAuthoritative: true,
    answers,
    authorities,
    additionals,
    plugin: "kubernetes",
    stableTurns: 1,
  };
}

interface Alias {
  readonly request: Request;
  readonly target: string;
  readonly resolve: Handler;
}

/** The reply with what its alias leads to; the alias alone where that cannot be resolved (no upstream, a circle). */
async function followAlias(reply: Reply, { request, target, resolve }: Alias): Promise<Reply> {
  const { stableTurns: _stable, ...alias } = reply;
  const aliases = (request.aliases ?? 0) + 1;
  if (aliases > maxAliases || target === request.name) return alias;
  const found = await resolve({ ...request, name: canonicalName(target), askedName: target, aliases });
  if (found.rcode !== rcodes.NOERROR && found.rcode !== rcodes.NXDOMAIN) return alias;
  return {
    ...alias,
    rcode: found.rcode,
    answers: [...alias.answers, ...found.answers],
    authorities: found.answers.length === 0 ? found.authorities : [],
  };
}
