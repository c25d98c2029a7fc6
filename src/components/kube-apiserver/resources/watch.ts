/** Watches: the present state where it is asked for, then every change, as seen through a selection. */
import { expired, tooLargeVersion } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import type { Stored, StoreEvent } from "../../../storage/index.ts";
import { revisionOf } from "./read.ts";
import type { ServedResource } from "./resource.ts";
import { selectionOf } from "./selection.ts";
import type { SelectionOptions } from "./selection.ts";

export interface WatchRequest extends SelectionOptions {
  readonly resourceVersion?: string;
  readonly sendsInitialEvents?: boolean;
}

/** What a watcher gets; `event` is absent for the present state. */
export interface WatchedChange {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly stored: Stored;
  readonly event: StoreEvent | undefined;
}

export interface Watch {
  /** Revision of the state that was sent first; undefined when none was. */
  readonly initialRevision: number | undefined;
  stop(): void;
}

/**
 * Hands the present state and the past after the given version to `send` before it returns, then each change in the turn
 * in which it is committed. Throws `ApiError` 410 when the past is forgotten.
 */
export function watchObjects(
  resource: ServedResource,
  request: WatchRequest,
  send: (change: WatchedChange) => void,
): Watch {
  const { store } = resource.environment;
  const selection = selectionOf(resource, request);
  const asked = request.resourceVersion ?? "";
  const wanted = asked === "" ? 0 : revisionOf(asked);
  const startsWithState = request.sendsInitialEvents ?? wanted === 0;
  if (wanted > store.revision) {
    throw tooLargeVersion(wanted, store.revision);
  }
  const from = startsWithState || wanted === 0 ? store.revision : wanted;
  if (startsWithState) {
    const scope = selection.namespace === undefined ? {} : { namespace: selection.namespace };
    for (const stored of store.list(resource.place, scope).items) {
      if (selection.matches(stored)) send({ type: "ADDED", stored, event: undefined });
    }
  }
  const stop = following(() =>
    store.watch(resource.place, from, (event) => {
      const change = changeOf(event, selection.isOpen && selection.namespace === undefined, selection.matches);
      if (change !== undefined) send({ ...change, event });
    }),
  );
  return { initialRevision: startsWithState ? from : undefined, stop };
}

/** An object that begins to match is ADDED to this watcher, one that no longer does is DELETED. */
function changeOf(
  event: StoreEvent,
  seesAll: boolean,
  matches: (stored: Stored) => boolean,
): { type: WatchedChange["type"]; stored: Stored } | undefined {
  const { type, current, previous } = event;
  if (seesAll) return { type, stored: current };
  const was = previous !== undefined && matches(previous);
  const is = type !== "DELETED" && matches(current);
  if (is) return { type: was ? "MODIFIED" : "ADDED", stored: current };
  return was ? { type: "DELETED", stored: current } : undefined;
}

function following<T>(follow: () => T): T {
  try {
    return follow();
  } catch (error) {
    if (error instanceof StorageError && error.code === "Compacted") throw expired(error.message);
    throw error;
  }
}
