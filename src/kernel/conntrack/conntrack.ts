/** Connection tracking of one network namespace over ctnetlink (<linux/netfilter/nfnetlink_conntrack.h>). */
import { ipFamily, ipFromBytes, ipToBytes, type IpAddress } from "../../lib/ip/index.ts";
import { NfnetlinkError, NfnetlinkSocket, subsystem, type Request } from "../nfnetlink/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import {
  messageFlag,
  type MessageWriter,
  NetlinkDecodeError,
  readAttributes,
  splitPayload,
} from "../rtnetlink/wire.ts";

/** One direction of a connection; ports are 0 where the protocol has none. */
interface Flow {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IANA's number: 6 is TCP, 17 UDP. */
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

interface Connection {
  readonly original: Flow;
  /** After address translation its source is whom the connection was sent to. */
  readonly reply: Flow;
  /** The `ct mark`. */
  readonly mark: number;
  /** Until it is forgotten if no packet comes. */
  readonly timeoutSeconds: number;
  /** Names it when it is deleted. */
  readonly id: number;
}

export const protocolNumbers = { tcp: 6, udp: 17, sctp: 132 } as const;

/** All methods are synchronous and throw `NfnetlinkError`. */
export interface Conntrack {
  /**
   * Both families. Takes about 2 µs per connection, and some 10 ms to walk the machine's table, which all namespaces share;
   * where this one has no connection it is not walked.
   */
  list(filter?: { readonly mark?: number; readonly protocol?: number }): readonly Connection[];
  /** Both families. One question, whatever their number. */
  count(): number;
  /** Forgets the connection: its next packet is new. Harmless where it is gone or another has its place. */
  delete(connection: Connection): void;
  close(): void;
}

export function openConntrack(options: { readonly namespace: NetworkNamespace }): Conntrack {
  const socket = new NfnetlinkSocket(options.namespace);
  const count = (): number => {
    const [statistics] = socket.request("count connections", countQuery);
    if (statistics === undefined)
      throw new NetlinkDecodeError("Cannot count connections: the kernel's answer is empty");
    return decodeCount(statistics);
  };
  return {
    count,
    list: (filter = {}) => {
      if (count() === 0) return [];
      return socket
        .request("list connections", encodeQuery(filter.mark))
        .map((payload) => decodeConnection(payload))
        .filter(
          ({ mark, original }) =>
            (filter.mark ?? mark) === mark && (filter.protocol ?? original.protocol) === original.protocol,
        );
    },
    delete: (connection) => {
      try {
        socket.request("delete a connection", encodeDeletion(connection));
      } catch (error) {
        if (!(error instanceof NfnetlinkError && error.code === "ENOENT")) throw error;
      }
    },
    close: () => socket.close(),
  };
}

const message = { get: 1, delete: 2, statistics: 5 } as const;
const familyNumber = { any: 0, IPv4: 2, IPv6: 10 } as const;
const attribute = { original: 1, reply: 2, timeout: 7, mark: 8, id: 12, markMask: 21 } as const;
const tuple = { addresses: 1, protocol: 2 } as const;
const addressPart = { v4Source: 1, v4Destination: 2, v6Source: 3, v6Destination: 4 } as const;
const protocolPart = { number: 1, sourcePort: 2, destinationPort: 3 } as const;

/** How many connections the namespace has: one message for a question, one for the answer. */
const countQuery: Request = {
  type: (subsystem.conntrack << 8) | message.statistics,
  flags: messageFlag.ack,
  family: familyNumber.any,
  write: () => undefined,
};

function decodeCount(payload: Uint8Array): number {
  // CTA_STATS_GLOBAL_ENTRIES
  return readNumber(splitPayload(payload, 4).attributes.get(1));
}

function encodeQuery(mark: number | undefined): Request {
  return {
    type: (subsystem.conntrack << 8) | message.get,
    flags: messageFlag.dump,
    family: familyNumber.any,
    write: (writer) => {
      if (mark === undefined) return;
      // The kernel filters: most connections are of no interest.
      writer.attribute(attribute.mark, bigEndian(mark)).attribute(attribute.markMask, bigEndian(0xffff_ffff));
    },
  };
}

function encodeDeletion({ original, id }: Connection): Request {
  return {
    type: (subsystem.conntrack << 8) | message.delete,
    flags: messageFlag.ack,
    family: familyNumber[ipFamily(original.source)],
    write: (writer) => {
      writer.nested(attribute.original, () => writeFlow(writer, original));
      writer.attribute(attribute.id, bigEndian(id));
    },
  };
}

function writeFlow(writer: MessageWriter, flow: Flow): void {
  const isV4 = ipFamily(flow.source) === "IPv4";
  writer.nested(tuple.addresses, () => {
    writer.attribute(isV4 ? addressPart.v4Source : addressPart.v6Source, ipToBytes(flow.source));
    writer.attribute(isV4 ? addressPart.v4Destination : addressPart.v6Destination, ipToBytes(flow.destination));
  });
  writer.nested(tuple.protocol, () => {
    writer.attribute(protocolPart.number, Uint8Array.of(flow.protocol));
    writer.attribute(protocolPart.sourcePort, Uint8Array.of(flow.sourcePort >> 8, flow.sourcePort & 255));
    writer.attribute(
      protocolPart.destinationPort,
      Uint8Array.of(flow.destinationPort >> 8, flow.destinationPort & 255),
    );
  });
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Throws `NetlinkDecodeError` where the bytes are no connection. */
export function decodeConnection(payload: Uint8Array): Connection {
  const { attributes } = splitPayload(payload, 4);
  return {
    original: decodeFlow(attributes.get(attribute.original)),
    reply: decodeFlow(attributes.get(attribute.reply)),
    mark: readNumber(attributes.get(attribute.mark)),
    timeoutSeconds: readNumber(attributes.get(attribute.timeout)),
    id: readNumber(attributes.get(attribute.id)),
  };
}

function decodeFlow(bytes: Uint8Array | undefined): Flow {
  if (bytes === undefined) throw new NetlinkDecodeError("Cannot read connection: a direction is missing");
  const parts = readAttributes(bytes);
  const addresses = readAttributes(parts.get(tuple.addresses) ?? new Uint8Array());
  const protocol = readAttributes(parts.get(tuple.protocol) ?? new Uint8Array());
  return {
    source: readAddress(addresses.get(addressPart.v4Source) ?? addresses.get(addressPart.v6Source)),
    destination: readAddress(addresses.get(addressPart.v4Destination) ?? addresses.get(addressPart.v6Destination)),
    protocol: readNumber(protocol.get(protocolPart.number)),
    sourcePort: readNumber(protocol.get(protocolPart.sourcePort)),
    destinationPort: readNumber(protocol.get(protocolPart.destinationPort)),
  };
}

function readAddress(bytes: Uint8Array | undefined): IpAddress {
  if (bytes?.length !== 4 && bytes?.length !== 16) {
    throw new NetlinkDecodeError("Cannot read connection: an address is missing or has a wrong length");
  }
  return ipFromBytes(bytes);
}

/** In network order, of any length up to 4 bytes; 0 where it is missing. */
function readNumber(bytes: Uint8Array = new Uint8Array()): number {
  if (bytes.length > 4) throw new NetlinkDecodeError(`Cannot read connection: a number has ${bytes.length} bytes`);
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
