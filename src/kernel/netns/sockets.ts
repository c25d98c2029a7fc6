/** TCP and UDP sockets made in a network namespace by whichever thread; each returns a file descriptor. */
import { Socket } from "node:net";
import { ipFamily, type IpAddress, ipToBytes, parseIpAddress } from "../../lib/ip/index.ts";
import {
  bindSocket,
  closeSocket,
  connectSocket,
  openSocket,
  setSocketOption,
  socketFamilies,
  socketTypes,
  SystemCallError,
} from "../../machinery/libc/index.ts";

export interface SocketAddress {
  readonly address: string;
  /** 0 to 65535; 0 lets the kernel choose. */
  readonly port: number;
}

/** A socket could not be made; `code` is the errno's name ("EADDRINUSE", "ENETUNREACH"). */
export class SocketError extends Error {
  readonly code: string;
  override readonly name = "SocketError";

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

const options = {
  reuseAddress: { level: 1, name: 2 },
  freeBind: { level: 0, name: 15 },
  freeBind6: { level: 41, name: 78 },
  onlyIpv6: { level: 41, name: 26 },
} as const;

/** For `server.listen({ fd })`. Binds addresses that the namespace does not have yet, too (IP_FREEBIND). */
export function bindTcpSocket(target: SocketAddress): number {
  return openBound(target, socketTypes.stream);
}

/** For `dgram.createSocket(…).bind({ fd })`. */
export function bindUdpSocket(target: SocketAddress): number {
  return openBound(target, socketTypes.datagram);
}

/** Starts to connect; give the result to `adoptConnectingSocket`. */
export function connectTcpSocket(target: SocketAddress): number {
  return open(target, { action: "connect to", type: socketTypes.stream }, (fd, address) =>
    connectSocket(fd, encodeAddress(address, target.port)),
  );
}

/**
 * Makes a stream of a descriptor from `connectTcpSocket`. Resolves once connected; rejects with the connection's error
 * (ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT), or the signal's reason. Owns the descriptor from the call on.
 */
export function adoptConnectingSocket(fd: number, signal?: AbortSignal): Promise<Socket> {
  const socket = new Socket({ fd, readable: true, writable: true });
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    const settle = (error: Error | null | undefined): void => {
      signal?.removeEventListener("abort", abort);
      socket.off("error", settle);
      if (error) reject(error);
      else resolve(socket);
    };
    socket.once("error", settle);
    // A descriptor that is already open never emits "connect"; the kernel takes an empty write once it is connected.
    socket.write("", (error) => {
      if (!error) settle(undefined);
    });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

function openBound(target: SocketAddress, type: number): number {
  return open(target, { action: "bind", type }, (fd, address) => {
    setSocketOption(fd, options.reuseAddress, 1);
    if (ipFamily(address) === "IPv6") {
      setSocketOption(fd, options.freeBind6, 1);
      setSocketOption(fd, options.onlyIpv6, 1);
    } else {
      setSocketOption(fd, options.freeBind, 1);
    }
    bindSocket(fd, encodeAddress(address, target.port));
  });
}

function open(
  target: SocketAddress,
  how: { readonly action: string; readonly type: number },
  prepare: (fd: number, address: IpAddress) => void,
): number {
  const address = parseIpAddress(target.address);
  const isV6 = ipFamily(address) === "IPv6";
  const fd = openSocket(
    isV6 ? socketFamilies.inet6 : socketFamilies.inet,
    how.type | socketTypes.closeOnExec | socketTypes.nonBlocking,
  );
  try {
    prepare(fd, address);
    return fd;
  } catch (error) {
    closeSocket(fd);
    if (!(error instanceof SystemCallError)) throw error;
    const where = isV6 ? `[${address}]:${target.port}` : `${address}:${target.port}`;
    throw new SocketError(`Cannot ${how.action} ${where}: ${error.code}`, error.code);
  }
}

/** struct sockaddr_in and sockaddr_in6: the family in the machine's order, the port in the network's. */
function encodeAddress(address: IpAddress, port: number): Uint8Array {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SocketError(`Cannot use port ${port}: it must be from 0 to 65535`, "EINVAL");
  }
  const isV6 = ipFamily(address) === "IPv6";
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? socketFamilies.inet6 : socketFamilies.inet, true);
  view.setUint16(2, port, false);
  bytes.set(ipToBytes(address), isV6 ? 8 : 4);
  return bytes;
}
