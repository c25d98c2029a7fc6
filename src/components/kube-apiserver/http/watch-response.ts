/** Streams a watch: one JSON document per line, each encoded once for all watchers of the same form. */
import { apiVersionOf } from "../../../api/object.ts";
import type { Status } from "../../../api/generated/types.ts";
import type { StoreEvent } from "../../../storage/index.ts";
import { objectText, tableText } from "../resources/represent.ts";
import type { ServedResource } from "../resources/resource.ts";
import type { WatchedChange } from "../resources/watch.ts";
import type { Representation } from "./negotiation.ts";

/**
 * The newest event's lines, by resource and form: all watchers are told of an event in one turn, before the next. Lines
 * kept with each event of the history would be most of the server's memory.
 */
let newest: { readonly event: StoreEvent; readonly lines: Map<ServedResource, Map<string, Buffer>> } | undefined;

/** The line for one change; `hasColumns` is for the first line of a Table watch. */
export function changeLine(
  resource: ServedResource,
  change: WatchedChange,
  options: { readonly form: Representation; readonly hasColumns: boolean },
): Buffer {
  if (change.event === undefined) return encode(resource, change, options);
  if (newest?.event !== change.event) newest = { event: change.event, lines: new Map() };
  const byForm = newest.lines.get(resource) ?? new Map<string, Buffer>();
  newest.lines.set(resource, byForm);
  const { form, version, includeObject } = options.form;
  const slot = `${change.type} ${form} ${version} ${includeObject} ${options.hasColumns}`;
  const line = byForm.get(slot) ?? encode(resource, change, options);
  byForm.set(slot, line);
  return line;
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
    creationTimestamp: null,
    ...(options.endsInitialEvents ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}),
  };
  const { form, version } = options.form;
  const object =
    form === "object"
      ? { kind: definition.kind, apiVersion: apiVersionOf(definition), metadata }
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
