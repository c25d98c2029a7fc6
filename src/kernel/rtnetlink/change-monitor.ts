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

const routeProtocol = 0;
/** Of <linux/rtnetlink.h>: links, and addresses, routes and rules of both families. Neighbours change all the time. */
const groups = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x4_0000;

/**
 * Tells whether links, addresses, routes or rules of a namespace changed, for the price of one system call when they did
 * not. What changed is left to a dump: a dump cannot miss anything. Must be closed.
 */
export class ChangeMonitor {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(64);

  constructor(namespace: NetworkNamespace) {
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
    address.setUint32(8, groups, true);
    bindSocket(this.#fd, new Uint8Array(address.buffer));
  }

  /** Since the last call. Also for changes that the caller made itself. */
  hasChanged(): boolean {
    let hasChanged = false;
    for (;;) {
      try {
        receiveFromSocket(this.#fd, this.#buffer, messageFlags.doNotWait);
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (error.code === "EAGAIN") return hasChanged;
        // ENOBUFS: so many changes that the kernel dropped some.
        if (error.code !== "ENOBUFS") throw error;
      }
      hasChanged = true;
    }
  }

  close(): void {
    closeSocket(this.#fd);
  }
}
