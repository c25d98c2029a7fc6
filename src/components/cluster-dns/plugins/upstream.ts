/** One resolver outside: asks it over UDP or TCP, knows whether it answers, and probes it while it does not. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import {
  decodeMessage,
  encodeMessage,
  frame,
  frameReader,
  queryMessage,
  rcodeName,
  recordClasses,
  recordTypes,
} from "../../../lib/dns-message/index.ts";
import type { DnsMessage } from "../../../lib/dns-message/index.ts";
import { isIpAddress, ipFamily, parseIpAddress } from "../../../lib/ip/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { HostAndPort } from "../corefile/index.ts";
import type { Reply, Request } from "../handler.ts";
import type { DnsMetrics } from "../metrics.ts";

/** CoreDNS waits two seconds for an answer too. */
const timeoutMs = 2000;
/** So many failures in a row make it unhealthy: asked no more, but probed. */
const maxFailures = 2;
const probeIntervalMs = 500;
/** What we take over UDP (the size DNS flag day 2020 settled on). */
const udpPayloadBytes = 1232;

export interface Upstream {
  readonly isHealthy: boolean;
  /** Undefined where it does not answer. */
  ask(request: Request, options: { readonly useTcp: boolean }): Promise<Reply | undefined>;
}

export interface UpstreamOptions {
  readonly address: HostAndPort;
  readonly clock: Clock;
  readonly metrics: DnsMetrics;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends the probing. */
  readonly signal: AbortSignal;
}

export function createUpstream(options: UpstreamOptions): Upstream {
  const { address, clock, metrics, signal } = options;
  const label = `${address.host}:${address.port}`;
  let failures = 0;
  const exchange = async (request: Request, useTcp: boolean): Promise<DnsMessage | undefined> => {
    const startedAtMs = clock.now();
    const query = queryOf(request, Math.floor(options.random() * 0x1_0000));
    const message = await (useTcp ? overTcp : overUdp)({ query, address, clock, signal });
    const rcode = message === undefined ? "SERVFAIL" : rcodeName(message.rcode);
    metrics.proxySeconds.observe(["forward", label, rcode], (clock.now() - startedAtMs) / 1000);
    return message;
  };
  const probe = async (): Promise<void> => {
    while (failures >= maxFailures) {
      try {
        await clock.sleep(probeIntervalMs, signal);
      } catch {
        // Stopped.
        return;
      }
      if ((await exchange(probeRequest, false)) !== undefined) failures = 0;
    }
  };
  // Where it is silent, better to know before the first client waits for it.
  const greet = async (): Promise<void> => {
    if ((await exchange(probeRequest, false)) !== undefined || signal.aborted) return;
    failures = maxFailures;
    await probe();
  };
  void greet();
  return {
    get isHealthy() {
      return failures < maxFailures;
    },
    ask: async (request, { useTcp }) => {
      const message = await exchange(request, useTcp);
      if (message !== undefined) {
        failures = 0;
        return replyOf(message);
      }
      failures += 1;
      if (failures === maxFailures) void probe();
      return undefined;
    },
  };
}

const probeRequest: Request = {
  askedName: ".",
  name: ".",
  type: recordTypes.NS,
  class: recordClasses.IN,
  transport: "udp",
  isDnssecOk: false,
  isRecursionDesired: false,
  turn: 0,
};

function queryOf(request: Request, id: number): DnsMessage {
  return queryMessage({
    id,
    name: request.askedName,
    type: request.type,
    class: request.class,
    isRecursionDesired: request.isRecursionDesired,
    edns: { udpPayloadBytes, version: 0, isDnssecOk: request.isDnssecOk, options: [] },
  });
}

function replyOf(message: DnsMessage): Reply {
  const { rcode, isAuthoritative, isTruncated, isRecursionAvailable, answers, authorities, additionals } = message;
  return {
    rcode,
    isAuthoritative,
    isTruncated,
    isRecursionAvailable,
    answers,
    authorities,
    additionals,
    plugin: "forward",
  };
}

interface Exchange {
  readonly query: DnsMessage;
  readonly address: HostAndPort;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A socket per question: a source port nobody can guess guards against forged answers, beside the id (RFC 5452). */
function overUdp({ query, address, clock, signal }: Exchange): Promise<DnsMessage | undefined> {
  const isV6 = isIpAddress(address.host) && ipFamily(parseIpAddress(address.host)) === "IPv6";
  const socket = createSocket(isV6 ? "udp6" : "udp4");
  return withTimeout({ clock, signal }, (settle) => {
    socket.on("error", () => settle(undefined));
    socket.on("message", (bytes) => {
      const message = matching(bytes, query);
      if (message !== undefined) settle(message);
    });
    socket.connect(address.port, address.host, (error?: Error) => {
      if (error !== undefined) settle(undefined);
      else
        socket.send(encodeMessage(query), (failed) => {
          if (failed !== null) settle(undefined);
        });
    });
    return () => socket.close();
  });
}

function overTcp({ query, address, clock, signal }: Exchange): Promise<DnsMessage | undefined> {
  const socket = connect(address.port, address.host);
  return withTimeout({ clock, signal }, (settle) => {
    socket.on("error", () => settle(undefined));
    socket.on("close", () => settle(undefined));
    socket.on(
      "data",
      frameReader((bytes) => settle(matching(bytes, query))),
    );
    socket.write(frame(encodeMessage(query)));
    return () => socket.destroy();
  });
}

/** Undefined for anything but the answer to this very query. */
function matching(bytes: Uint8Array, query: DnsMessage): DnsMessage | undefined {
  try {
    const message = decodeMessage(bytes);
    const [asked] = query.questions;
    const [answered] = message.questions;
    const isSame = answered?.type === asked?.type && answered?.name.toLowerCase() === asked?.name.toLowerCase();
    return message.isResponse && message.id === query.id && isSame ? message : undefined;
  } catch {
    // No DNS message: as good as none at all. The time-out reports it.
    return undefined;
  }
}

type Settle = (message: DnsMessage | undefined) => void;

/** @param start - Begins, and returns what ends it. */
function withTimeout(
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
  start: (settle: Settle) => () => void,
): Promise<DnsMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<DnsMessage | undefined>();
  const done = new AbortController();
  const stop = start(resolve);
  clock.sleep(timeoutMs, AbortSignal.any([signal, done.signal])).then(
    () => resolve(undefined),
    () => resolve(undefined),
  );
  return promise.finally(() => {
    done.abort();
    stop();
  });
}
