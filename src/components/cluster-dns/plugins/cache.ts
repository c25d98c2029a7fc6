/** Keeps the replies of the plugins behind it for as long as their records allow. */
import { isInZone, rcodes } from "../../../lib/dns-message/index.ts";
import type { ResourceRecord } from "../../../lib/dns-message/index.ts";
import type { CacheConfig, CacheSide } from "../corefile/index.ts";
import { mapReply } from "../handler.ts";
import type { Plugin, Reply } from "../handler.ts";
import type { DnsMetrics } from "../metrics.ts";

export interface CachePluginOptions {
  readonly config: CacheConfig;
  /** Milliseconds. */
  readonly now: () => number;
  readonly metrics: DnsMetrics;
  /** As metrics label it: "dns://:53". */
  readonly server: string;
}

interface Entry {
  readonly reply: Reply;
  readonly storedAtMs: number;
  readonly ttlSeconds: number;
}

type Side = "success" | "denial";

export function cachePlugin({ config, now, metrics, server }: CachePluginOptions): Plugin {
  const entries: Readonly<Record<Side, Map<string, Entry>>> = { success: new Map(), denial: new Map() };
  const zones = config.zones.join(",");
  return (next) => (request) => {
    if (!config.zones.some((zone) => isInZone(request.name, zone))) return next(request);
    const key = `${request.name} ${request.type} ${request.class} ${request.isDnssecOk}`;
    metrics.cacheRequests.add([server, zones]);
    for (const side of ["success", "denial"] as const) {
      const entry = entries[side].get(key);
      const ageSeconds = entry === undefined ? 0 : Math.floor((now() - entry.storedAtMs) / 1000);
      // Of a negative age where the clock was set back.
      if (entry !== undefined && ageSeconds >= 0 && ageSeconds < entry.ttlSeconds) {
        metrics.cacheHits.add([server, side, zones]);
        return aged(entry.reply, ageSeconds);
      }
      entries[side].delete(key);
    }
    metrics.cacheMisses.add([server, zones]);
    return mapReply(next(request), (reply) => {
      const side = sideOf(reply);
      if (side === undefined || config[side].disabled.some((zone) => isInZone(request.name, zone))) return reply;
      const ttlSeconds = ttlOf(reply, config[side]);
      const kept = capped(reply, ttlSeconds);
      store(entries[side], {
        key,
        capacity: config[side].capacity,
        entry: { reply: kept, storedAtMs: now(), ttlSeconds },
      });
      metrics.cacheEntries.set([server, side, zones], entries[side].size);
      return kept;
    });
  };
}

/** Undefined: not to be kept (errors, truncated replies). */
function sideOf(reply: Reply): Side | undefined {
  if (reply.isTruncated === true) return undefined;
  if (reply.rcode === rcodes.NXDOMAIN) return "denial";
  if (reply.rcode !== rcodes.NOERROR) return undefined;
  return reply.answers.length > 0 ? "success" : "denial";
}

/** The shortest of its records, within the configured bounds; negative replies live as their SOA says (RFC 2308). */
function ttlOf(reply: Reply, side: CacheSide): number {
  const ttls = [...reply.answers, ...reply.authorities, ...reply.additionals].map((record) =>
    record.data.type === "SOA" ? Math.min(record.ttlSeconds, record.data.minimumSeconds) : record.ttlSeconds,
  );
  const shortest = ttls.length === 0 ? side.minTtlSeconds : Math.min(...ttls);
  return Math.min(Math.max(shortest, side.minTtlSeconds), side.maxTtlSeconds);
}

function store(
  entries: Map<string, Entry>,
  { key, capacity, entry }: { readonly key: string; readonly capacity: number; readonly entry: Entry },
): void {
  if (capacity === 0) return;
  entries.set(key, entry);
  // A Map keeps the order of insertion: the first is the oldest.
  for (const [oldest] of entries) {
    if (entries.size <= capacity) break;
    entries.delete(oldest);
  }
}

function aged(reply: Reply, ageSeconds: number): Reply {
  return withTtl({ ...reply, isAuthoritative: false }, (ttlSeconds) => Math.max(0, ttlSeconds - ageSeconds));
}

function capped(reply: Reply, mostSeconds: number): Reply {
  return withTtl(reply, (ttlSeconds) => Math.min(ttlSeconds, mostSeconds));
}

function withTtl(reply: Reply, change: (ttlSeconds: number) => number): Reply {
  const all = (records: readonly ResourceRecord[]): readonly ResourceRecord[] =>
    records.map((record) => ({ ...record, ttlSeconds: change(record.ttlSeconds) }));
  const { stableTurns: _stable, ...rest } = reply;
  return {
    ...rest,
    answers: all(reply.answers),
    authorities: all(reply.authorities),
    additionals: all(reply.additionals),
  };
}
