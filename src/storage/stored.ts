/** Stored versions: their text always, their parsed form for as long as somebody needs it. */
import type { KubernetesObject } from "../api/object.ts";
import { deepFreeze } from "../lib/deep-freeze/index.ts";
import type { Stored, StoreEvent, StoreKey } from "./object-store.ts";

/** A version as the store itself handles it. */
export interface Version extends Stored {
  /**
   * From now on the parsed form lives only as long as somebody else holds it, and is parsed again for who asks later.
   * For what is no longer current: parsed, a history is three times as large as its text.
   */
  letGo(): void;
  /** The same until the next read, where nobody has read the object since the last call. */
  letGoUnlessRead(): void;
}

export interface VersionEvent extends StoreEvent {
  readonly current: Version;
  readonly previous: Version | undefined;
}

/** The next version of `object`: stamped with its revision, serialised once, frozen. */
export function versionFromObject(key: StoreKey, object: KubernetesObject, revision: number): Version {
  const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  return new TextVersion({ key, revision, text: JSON.stringify(stamped) }, deepFreeze(stamped));
}

/** A version read from disk. */
export function versionFromText(key: StoreKey, text: string, revision: number): Version {
  return new TextVersion({ key, revision, text }, undefined);
}

class TextVersion implements Version {
  readonly key: StoreKey;
  readonly revision: number;
  readonly text: string;
  #held: KubernetesObject | undefined;
  /** Informers in this process share the objects: what they hold is not made twice. */
  #shared: WeakRef<KubernetesObject> | undefined;
  #isHolding = true;
  #isRead = false;

  constructor(
    { key, revision, text }: Pick<Stored, "key" | "revision" | "text">,
    object: KubernetesObject | undefined,
  ) {
    this.key = key;
    this.revision = revision;
    this.text = text;
    this.#held = object;
  }

  get object(): KubernetesObject {
    this.#isRead = true;
    if (this.#held !== undefined) return this.#held;
    const shared = this.#shared?.deref();
    const object = shared ?? deepFreeze(JSON.parse(this.text) as KubernetesObject);
    if (this.#isHolding) this.#held = object;
    else if (shared === undefined) this.#shared = new WeakRef(object);
    return object;
  }

  peek(): KubernetesObject {
    return this.#held ?? this.#shared?.deref() ?? (JSON.parse(this.text) as KubernetesObject);
  }

  letGo(): void {
    this.#isHolding = false;
    this.#release();
  }

  letGoUnlessRead(): void {
    if (!this.#isRead) this.#release();
    this.#isRead = false;
  }

  #release(): void {
    if (this.#held === undefined) return;
    this.#shared = new WeakRef(this.#held);
    this.#held = undefined;
  }
}
