/** Streams a watch: one JSON document per line, each encoded once for all watchers of the same form. */
import { apiVersionOf } from "../../../api/object.ts";
import type { Status } from "../../../api/generated/types.ts";
import type { StoreEvent } from "../../../storage/index.ts";
import { objectText, tableText } from "../resources/represent.ts";
import type { ServedResource } from "../resources/resource.ts";
import type { WatchedChange } from "../resources/watch.ts";
import type { Representation } from "./negotiation.ts";

/** The line for a change; `hasColumns` is for the first line of a Table watch. */
export type LineWriter = (change: WatchedChange, hasColumns: boolean) => Buffer;

const writers = new WeakMap<ServedResource, Map<string, LineWriter>>();

/** The one for all watchers of a resource in this form. */
export function lineWriterOf(resource: ServedResource, form: Representation): LineWriter {
  const known = writers.get(resource) ?? new Map<string, LineWriter>();
  writers.set(resource, known);
  const slot = `${form.form} ${form.version} ${form.includeObject}`;
  const writer = known.get(slot) ?? createLineWriter(resource, form);
  known.set(slot, writer);
  return writer;
}

/**
 * The store tells all watchers of one event before it tells of the next: the lines of the last one are kept. Lines kept
 * with each event of the history would be most of the server's memory.
 */
function createLineWriter(resource: ServedResource, form: Representation): LineWriter {
  let last: StoreEvent | undefined;
  let lines = new Map<string, Buffer>();
  return (change, hasColumns) => {
    if (change.event === undefined) return encode(resource, change, { form, hasColumns });
    if (change.event !== last) {
      last = change.event;
      lines = new Map();
    }
    const slot = hasColumns ? `${change.type} with columns` : change.type;
    let line = lines.get(slot);
    if (line === undefined) {
      line = encode(resource, change, { form, hasColumns });
      lines.set(slot, line);
    }
    return line;
  };
}

function encode(
  resource: ServedResource,
  { type, stored }: WatchedChange,
  { form, hasColumns }: { readonly form: Representation; readonly hasColumns: boolean },
): Buffer {
  const object =
    form.form === "table"
      ? tableText(resource, [stored], { form, resourceVersion: String(stored.revision), hasColumns })
      : objectText(resource, stored, form);
  return Buffer.from(`{"type":"${type}","object":${object}}\n`);
}

/** A bookmark says: you have seen everything up to here. */
export function bookmarkLine(
  { definition }: ServedResource,
  revision: number,
  options: { readonly form: Representation; readonly endsInitialEvents: boolean },
): Buffer {
  const metadata = {
    resourceVersion: String(revision),
    ...(options.endsInitialEvents ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  const { form, version } = options.form;
  const { kind } = definition;
  const apiVersion = apiVersionOf(definition);
  const object =
    form === "object"
      ? { kind, apiVersion, metadata }
      : { kind: "PartialObjectMetadata", apiVersion: `meta.k8s.io/${version}`, metadata };
  const shown =
    form === "table"
      ? {
          kind: "Table",
          apiVersion: `meta.k8s.io/${version}`,
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: null,
          rows: [{ cells: definition.columns.map(() => null), object }],
        }
      : object;
  return Buffer.from(`${JSON.stringify({ type: "BOOKMARK", object: shown })}\n`);
}

export function errorLine(status: Status): Buffer {
  return Buffer.from(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
}
