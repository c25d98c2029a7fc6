import {
  bindSocket,
  closeSocket,
  messageFlags,
  openSocket,
  receiveFromSocket,
  socketFamilies,
  socketTypes,
  SystemCallError,
} from "../../machinery/libc/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { bridgeFamily } from "./forwarding.ts";
import { neighbourChange } from "./neighbour.ts";
import { ownerProtocols } from "./route.ts";
import { readMessages } from "./wire.ts";

const routeProtocol = 0;
/** Of <linux/rtnetlink.h>: links, and addresses, routes and rules of both families. */
const groups = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x4_0000;
const neighbourGroup = 0x4;
/** Neighbours take a hundred; of what is longer, a link, nothing but its being there counts. */
const bufferBytes = 1024;

export interface MonitorOptions {
  /** Also neighbours that one of our owners has set, and forwarding entries. */
  readonly hasNeighbours?: boolean;
}

/**
 * Tells whether links, addresses, routes or rules of a namespace changed, for the price of one system call when they did
 * not. What changed is left to a dump: a dump cannot miss anything. Must be closed.
 */
export class ChangeMonitor {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(bufferBytes);

  constructor(namespace: NetworkNamespace, { hasNeighbours = false }: MonitorOptions = {}) {
    this.#fd = namespace.run(() =>
      openSocket(
        socketFamilies.netlink,
        socketTypes.raw | socketTypes.closeOnExec | socketTypes.nonBlocking,
        routeProtocol,
      ),
    );
    // struct sockaddr_nl: family, padding, port (chosen by the kernel), groups.
    const address = new DataView(new ArrayBuffer(12));
    address.setUint16(0, socketFamilies.netlink, true);
    address.setUint32(8, hasNeighbours ? groups | neighbourGroup : groups, true);
    bindSocket(this.#fd, new Uint8Array(address.buffer));
  }

  /** Since the last call. Also for changes that the caller made itself. */
  hasChanged(): boolean {
    let hasChanged = false;
    for (;;) {
      try {
        const length = receiveFromSocket(this.#fd, this.#buffer, messageFlags.doNotWait);
        hasChanged ||= matters(this.#buffer.subarray(0, length));
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (error.code === "EAGAIN") return hasChanged;
        // ENOBUFS: so many changes that the kernel dropped some.
        if (error.code !== "ENOBUFS") throw error;
        hasChanged = true;
      }
    }
  }

  close(): void {
    closeSocket(this.#fd);
  }
}

const ours: readonly number[] = Object.values(ownerProtocols);

/** The kernel's own neighbours change all the time, and are nobody's business. Throws `NetlinkDecodeError`. */
function matters(datagram: Uint8Array): boolean {
  if (datagram.length === bufferBytes) return true;
  for (const { type, payload } of readMessages(datagram)) {
    const change = neighbourChange(type, payload);
    if (change === undefined || change.family === bridgeFamily || ours.includes(change.protocol)) return true;
  }
  return false;
}
