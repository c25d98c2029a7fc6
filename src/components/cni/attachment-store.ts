import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type IpAddress, parseIpAddress } from "../../lib/ip/index.ts";

/** A pod and the addresses it holds. */
export interface Attachment {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly addresses: readonly IpAddress[];
}

const suffix = ".json";
/** Written, but not yet renamed when the agent was killed. */
const unfinished = ".new";
const lastFile = "last-address";

/**
 * Who holds which address: one small file per pod, written whole or not at all, so that an agent that was killed finds
 * them again. Read once; one process owns the folder.
 */
export class AttachmentStore {
  readonly #dir: string;
  readonly #byUid = new Map<string, Attachment>();
  #last: LastPut | undefined;

  /** `onDamaged` hears of files that are no attachment (a full disk, an edit by hand); they are removed. */
  constructor(dir: string, onDamaged: (file: string, error: unknown) => void) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    for (const file of readdirSync(dir).filter((name) => name.endsWith(unfinished))) rmSync(join(dir, file));
    for (const file of readdirSync(dir).filter((name) => name.endsWith(suffix))) {
      try {
        const attachment = parseAttachment(readFileSync(join(dir, file), "utf8"));
        if (`${attachment.uid}${suffix}` !== file) throw new TypeError(`the file of pod ${attachment.uid}`);
        this.#byUid.set(attachment.uid, attachment);
      } catch (error) {
        onDamaged(file, error);
        rmSync(join(dir, file), { force: true });
      }
    }
    this.#last = readLast(join(dir, lastFile));
  }

  list(): readonly Attachment[] {
    return [...this.#byUid.values()];
  }

  get(uid: string): Attachment | undefined {
    return this.#byUid.get(uid);
  }

  usedAddresses(): ReadonlySet<IpAddress> {
    return new Set(this.list().flatMap(({ addresses }) => addresses));
  }

  /** Those given out last, also when they were given back since. */
  lastAddresses(): readonly IpAddress[] {
    return this.#last?.addresses ?? [];
  }

  /**
   * Those on which an agent that was killed may have been at work: it attaches one after the other, so the last one; all
   * where it is not known which that was.
   */
  maybeUnfinished(): readonly Attachment[] {
    const last = this.#last;
    return last === undefined ? this.list() : this.list().filter(({ uid }) => uid === last.uid);
  }

  put(attachment: Attachment): void {
    const path = join(this.#dir, `${attachment.uid}${suffix}`);
    writeFileSync(`${path}${unfinished}`, JSON.stringify(attachment));
    renameSync(`${path}${unfinished}`, path);
    writeLast(join(this.#dir, lastFile), attachment);
    this.#byUid.set(attachment.uid, attachment);
    this.#last = attachment;
  }

  delete(uid: string): void {
    rmSync(join(this.#dir, `${uid}${suffix}`), { force: true });
    this.#byUid.delete(uid);
  }
}

/** The pods that have a record in a folder, which need not be there. */
export function recordedUids(dir: string): readonly string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
}

function parseAttachment(text: string): Attachment {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  const { namespace, name, uid, addresses } = value as Record<string, unknown>;
  if (typeof namespace !== "string" || typeof name !== "string" || typeof uid !== "string") {
    throw new TypeError("namespace, name or uid is missing");
  }
  if (!Array.isArray(addresses)) throw new TypeError("addresses are missing");
  return { namespace, name, uid, addresses: addresses.map((address) => parseIpAddress(String(address))) };
}

type LastPut = Pick<Attachment, "uid" | "addresses">;

/** Longer than a uid and an address of each family. */
const lastLength = 160;

/**
 * Only a hint: it need not survive a crash whole. Written over what is there: ext4 writes a file that was emptied and filled
 * to the disk at once, milliseconds for each pod.
 */
function writeLast(path: string, { uid, addresses }: LastPut): void {
  const text = JSON.stringify({ uid, addresses }).padEnd(lastLength, "\n");
  writeFileSync(path, text, { flag: existsSync(path) ? "r+" : "w" });
}

/** Without it, or with a damaged one, allocation starts at the beginning, and more pods are looked into. */
function readLast(path: string): LastPut | undefined {
  try {
    const { uid, addresses } = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, unknown>>;
    if (typeof uid !== "string" || !Array.isArray(addresses)) return undefined;
    return { uid, addresses: addresses.map((address) => parseIpAddress(String(address))) };
  } catch {
    return undefined;
  }
}
