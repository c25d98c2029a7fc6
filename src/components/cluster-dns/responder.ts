/**
 * Bytes in, bytes out. The usual question (an address of a service) is answered without decoding anything: two questions
 * that differ in their id only have the same reply until the zone changes, so replies are kept by the question's bytes.
 */
import {
  canonicalName,
  decodeMessage,
  encodeMessage,
  isInZone,
  maxMessageBytes,
  opcodes,
  plainUdpBytes,
  rcodeName,
  rcodes,
  recordClasses,
  recordTypes,
  typeName,
} from "../../lib/dns-message/index.ts";
import { hostPort } from "../../lib/ip/index.ts";
import type { DnsMessage, ResourceRecord } from "../../lib/dns-message/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { emptyReply } from "./handler.ts";
import type { Handler, Reply, Request } from "./handler.ts";
import type { Buckets, Cell, DnsMetrics } from "./metrics.ts";
import { headerBytes, questionKey } from "./question-key.ts";
import type { Origin } from "./question-key.ts";

/** More than a client asks for is not sent over UDP: fragments get lost. */
const maxUdpBytes = 4096;
/** What we say we take (nothing we are sent is larger). */
const ourUdpBytes = 1232;
/** A question is some fifty bytes and its reply a hundred: a megabyte or so. */
const maxKept = 4096;
const zoneTransfers = new Set([251, 252]);

/** One zone of a server block. */
export interface Served {
  /** Canonical. */
  readonly zone: string;
  readonly handler: Handler;
  /** As CoreDNS labels it: "dns://:53". */
  readonly server: string;
  readonly isLogged: boolean;
  readonly areErrorsLogged: boolean;
}

export interface ResponderOptions {
  /** The zones of this port. */
  readonly served: readonly Served[];
  /** Changes whenever kept replies may be wrong. */
  readonly zoneVersion: () => number;
  readonly metrics: DnsMetrics;
  readonly log: Logger;
}

/** Undefined where no reply is due: the bytes are no question. */
export type Respond = (question: Uint8Array, origin: Origin) => Buffer | undefined | Promise<Buffer | undefined>;

interface Counters {
  readonly requests: Cell;
  readonly responses: Cell;
  readonly seconds: Buckets;
  readonly requestBytes: Buckets;
  readonly responseBytes: Buckets;
  readonly clientBytes: number;
}

interface Kept {
  /** One per order of the addresses. */
  readonly variants: Buffer[];
  readonly turns: number;
  turn: number;
  readonly counters: Counters;
}

export function createResponder(options: ResponderOptions): Respond {
  // The longest zone first: the first that fits is the closest.
  const served = options.served.toSorted((a, b) => b.zone.length - a.zone.length);
  const kept = new Map<string, Kept>();
  let keptVersion = options.zoneVersion();

  return (question, origin) => {
    const startedAt = performance.now();
    if (question.length < headerBytes || ((question[2] ?? 0) & 0x80) !== 0) return undefined;
    const version = options.zoneVersion();
    if (version !== keptVersion) {
      kept.clear();
      keptVersion = version;
    }
    const key = questionKey(question, origin);
    const known = kept.get(key);
    if (known !== undefined && known.variants.length === known.turns) return again(known, { question, startedAt });
    return answer(question, { origin, key, startedAt, turn: known?.variants.length ?? 0 });
  };

  function again(known: Kept, from: { readonly question: Uint8Array; readonly startedAt: number }): Buffer {
    const reply = Buffer.from(known.variants[known.turn] ?? []);
    known.turn = (known.turn + 1) % known.turns;
    reply[0] = from.question[0] ?? 0;
    reply[1] = from.question[1] ?? 0;
    count(known.counters, { startedAt: from.startedAt, bytes: reply.length });
    return reply;
  }

  interface Asked {
    readonly origin: Origin;
    readonly key: string;
    readonly startedAt: number;
    readonly turn: number;
  }

  function answer(bytes: Uint8Array, asked: Asked): Buffer | Promise<Buffer> {
    let message: DnsMessage;
    try {
      message = decodeMessage(bytes);
    } catch {
      return formatError(bytes);
    }
    const refusal = refusalOf(message);
    const [question] = message.questions;
    if (refusal !== undefined || question === undefined)
      return encodeReply(message, { reply: emptyReply(refusal ?? "FORMERR", ""), origin: asked.origin });
    const request: Request = {
      askedName: question.name,
      name: canonicalName(question.name),
      type: question.type,
      class: question.class,
      transport: asked.origin.transport,
      isDnssecOk: message.edns?.isDnssecOk ?? false,
      isRecursionDesired: message.isRecursionDesired,
      turn: asked.turn,
    };
    const place = served.find(({ zone }) => isInZone(request.name, zone));
    if (place === undefined) return encodeReply(message, { reply: emptyReply("REFUSED", ""), origin: asked.origin });
    const finish = (reply: Reply): Buffer => finished({ message, request, place, reply, asked });
    const failed = (error: unknown): Buffer => {
      options.metrics.panics.add([]);
      options.log.error("answering failed", { plugin: "errors", name: request.name, error });
      return finish(emptyReply("SERVFAIL", ""));
    };
    try {
      const reply = place.handler(request);
      return reply instanceof Promise ? reply.then(finish).catch(failed) : finish(reply);
    } catch (error) {
      return failed(error);
    }
  }

  interface Finished {
    readonly message: DnsMessage;
    readonly request: Request;
    readonly place: Served;
    readonly reply: Reply;
    readonly asked: Asked;
  }

  function finished({ message, request, place, reply, asked }: Finished): Buffer {
    const bytes = encodeReply(message, { reply, origin: asked.origin });
    const counters = countersOf({ message, request, place, reply, origin: asked.origin });
    count(counters, { startedAt: asked.startedAt, bytes: bytes.length });
    if (reply.stableTurns !== undefined) keep({ bytes, turns: reply.stableTurns, counters, key: asked.key });
    if (place.isLogged) logReply({ message, request, reply, asked, bytes });
    if (place.areErrorsLogged && reply.rcode === rcodes.SERVFAIL)
      options.log.warn("no plugin could answer", {
        plugin: "errors",
        name: request.name,
        type: typeName(request.type),
      });
    return bytes;
  }

  function keep({
    bytes,
    turns,
    counters,
    key,
  }: {
    readonly bytes: Buffer;
    readonly turns: number;
    readonly counters: Counters;
    readonly key: string;
  }): void {
    const known = kept.get(key);
    // A copy: the encoder's buffer is larger than the message.
    if (known !== undefined) known.variants.push(Buffer.from(bytes));
    else {
      if (kept.size >= maxKept) kept.clear();
      kept.set(key, { variants: [Buffer.from(bytes)], turns, turn: 0, counters });
    }
  }

  function countersOf({
    message,
    request,
    place,
    reply,
    origin,
  }: Omit<Finished, "asked"> & { readonly origin: Origin }): Counters {
    const { metrics } = options;
    const zone = [place.server, place.zone, ""];
    const family = origin.address.includes(".") ? "1" : "2";
    return {
      requests: metrics.requests.cell([...zone, origin.transport, family, countedType(request.type)]),
      responses: metrics.responses.cell([...zone, rcodeName(reply.rcode), reply.plugin]),
      seconds: metrics.requestSeconds.series(zone),
      requestBytes: metrics.requestBytes.series([...zone, origin.transport]),
      responseBytes: metrics.responseBytes.series([...zone, origin.transport]),
      clientBytes: clientBytes(message, origin),
    };
  }

  function logReply({
    message,
    request,
    reply,
    asked,
    bytes,
  }: Omit<Finished, "place"> & { readonly bytes: Buffer }): void {
    const { origin } = asked;
    const flags = [
      "qr",
      ...(reply.isAuthoritative ? ["aa"] : []),
      ...(message.isRecursionDesired ? ["rd"] : []),
      ...(reply.isRecursionAvailable === true ? ["ra"] : []),
    ].join(",");
    const seconds = ((performance.now() - asked.startedAt) / 1000).toFixed(9);
    const isIn = request.class === recordClasses.IN;
    const asking = `${typeName(request.type)} ${isIn ? "IN" : `CLASS${request.class}`} ${request.askedName}`;
    const size = clientBytes(message, origin);
    options.log.info(
      `${clientText(origin)} - ${message.id} "${asking} ${origin.transport} ${request.isDnssecOk} ${size}" ` +
        `${rcodeName(reply.rcode)} ${flags} ${bytes.length} ${seconds}s`,
    );
  }
}

function count(counters: Counters, { startedAt, bytes }: { readonly startedAt: number; readonly bytes: number }): void {
  counters.requests.value += 1;
  counters.responses.value += 1;
  counters.requestBytes.observe(counters.clientBytes);
  counters.responseBytes.observe(bytes);
  counters.seconds.observe((performance.now() - startedAt) / 1000);
}

function refusalOf(message: DnsMessage): keyof typeof rcodes | undefined {
  if (message.opcode !== opcodes.QUERY) return "NOTIMP";
  if (message.edns !== undefined && message.edns.version !== 0) return "BADVERS";
  const [question] = message.questions;
  if (question === undefined || message.questions.length > 1) return "FORMERR";
  const isForeign = question.class !== recordClasses.IN && question.class !== recordClasses.ANY;
  return isForeign || zoneTransfers.has(question.type) ? "REFUSED" : undefined;
}

/** FORMERR with the id and opcode of what could not be read. */
function formatError(bytes: Uint8Array): Buffer {
  const reply = Buffer.alloc(headerBytes);
  reply[0] = bytes[0] ?? 0;
  reply[1] = bytes[1] ?? 0;
  reply[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  reply[3] = rcodes.FORMERR;
  return reply;
}

function clientBytes(message: DnsMessage, { transport }: Origin): number {
  if (transport === "tcp") return maxMessageBytes;
  const asked = message.edns?.udpPayloadBytes ?? plainUdpBytes;
  return Math.min(Math.max(asked, plainUdpBytes), maxUdpBytes);
}

function encodeReply(
  message: DnsMessage,
  { reply, origin }: { readonly reply: Reply; readonly origin: Origin },
): Buffer {
  const [question] = message.questions;
  const asked = question?.name ?? ".";
  const canonical = canonicalName(asked);
  // Clients that vary the case of their question (draft-vixie-dnsext-dns0x20) compare it with the records' owner.
  const named = (records: readonly ResourceRecord[]): readonly ResourceRecord[] =>
    asked === canonical
      ? records
      : records.map((record) => (record.name === canonical ? { ...record, name: asked } : record));
  const { edns } = message;
  return encodeMessage(
    {
      id: message.id,
      isResponse: true,
      opcode: message.opcode,
      isAuthoritative: reply.isAuthoritative,
      isTruncated: reply.isTruncated ?? false,
      isRecursionDesired: message.isRecursionDesired,
      isRecursionAvailable: reply.isRecursionAvailable ?? false,
      isAuthenticData: false,
      isCheckingDisabled: message.isCheckingDisabled,
      rcode: reply.rcode,
      questions: message.questions.slice(0, 1),
      answers: named(reply.answers),
      authorities: reply.authorities,
      additionals: reply.additionals,
      ...(edns === undefined
        ? {}
        : { edns: { udpPayloadBytes: ourUdpBytes, version: 0, isDnssecOk: edns.isDnssecOk, options: [] } }),
    },
    { maxBytes: clientBytes(message, origin) },
  );
}

/** "10.244.1.5:40000", "[fd00::5]:40000"; the socket of both families shows IPv4 as ::ffff:10.244.1.5. */
function clientText({ address, port }: Origin): string {
  return hostPort(address.replace(/^::ffff:(?=.*\.)/, ""), port);
}

const countedTypes: ReadonlySet<number> = new Set([...Object.values(recordTypes), 43, 46, 47, 48]);

/** As CoreDNS: rare types are counted together, so that nobody can blow up the metrics. */
function countedType(type: number): string {
  return countedTypes.has(type) ? typeName(type) : "other";
}
