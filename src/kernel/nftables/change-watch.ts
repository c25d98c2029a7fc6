/**
 * Who changed rules of the namespace, and where: the kernel numbers the transactions of everybody and tells which tables
 * each touched. Own transactions are not listened to (the kernel would write a message per element): they are counted, so
 * that one that slipped in between is missed by none.
 */
import type { Family } from "../../model/rules/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { NfnetlinkError, NfnetlinkSocket, nftablesGroup } from "../nfnetlink/index.ts";
import { decodeNotice, readGeneration } from "./table-codec.ts";

export class ChangeWatch {
  readonly #socket: NfnetlinkSocket;
  readonly #readGeneration: () => number;
  readonly #isWatched: (family: Family, table: string) => boolean;
  /** The last transaction that is accounted for; undefined before the first look. */
  #known: number | undefined;
  #isForeign = false;

  constructor(options: {
    readonly namespace: NetworkNamespace;
    readonly readGeneration: () => number;
    readonly isWatched: (family: Family, table: string) => boolean;
  }) {
    this.#socket = new NfnetlinkSocket(options.namespace);
    this.#readGeneration = options.readGeneration;
    this.#isWatched = options.isWatched;
    // The kernel tells nothing to a socket without an address; it gets one with its first message.
    readGeneration(this.#socket);
    this.#listen(true);
  }

  /** Nothing that happened until now counts as foreign. */
  forget(): void {
    this.#drain();
    this.#known = this.#readGeneration();
    this.#isForeign = false;
  }

  /** `work` makes one transaction, or none where it throws. */
  whileChanging(work: () => void): void {
    this.#listen(false);
    this.#drain();
    const before = this.#readGeneration();
    if (before !== this.#known) this.#isForeign = true;
    try {
      work();
    } finally {
      this.#listen(true);
      this.#known = this.#readGeneration();
      // More than one: somebody else was in between.
      if (this.#known > before + 1) this.#isForeign = true;
    }
  }

  hasForeignChange(): boolean {
    this.#drain();
    // Without notifications any change may be one of ours.
    const generation = this.#readGeneration();
    if (generation !== this.#known) {
      this.#isForeign = true;
      this.#known = generation;
    }
    const isForeign = this.#isForeign;
    this.#isForeign = false;
    return isForeign;
  }

  close(): void {
    this.#socket.close();
  }

  #listen(isOn: boolean): void {
    try {
      this.#socket.listen(nftablesGroup, isOn);
    } catch (error) {
      // Not permitted: the numbers alone tell that something changed.
      if (!(error instanceof NfnetlinkError)) throw error;
    }
  }

  /** Tables are told before the number of their transaction; what is told late is one that `#known` counts already. */
  #drain(): void {
    try {
      for (const message of this.#socket.notifications()) {
        const notice = decodeNotice(message);
        if (notice === undefined) continue;
        if ("table" in notice) this.#isForeign ||= this.#isWatched(notice.family, notice.table);
        else if (this.#known !== undefined && notice.generation === this.#known + 1) this.#known = notice.generation;
      }
    } catch (error) {
      // ENOBUFS: more changes than the queue holds. The number is then beyond the known one.
      if (!(error instanceof NfnetlinkError)) throw error;
      this.#isForeign = true;
    }
  }
}
