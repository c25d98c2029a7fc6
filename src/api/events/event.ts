/** Events are one stored kind served in two forms: core/v1, which most clients use, and events.k8s.io/v1. */
import { forbiddenValue } from "../field-error.ts";
import type { CoreV1Event, EventsV1Event } from "../generated/types.ts";
import { column, nameColumn, nameOf, timeSince, wideColumn } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import type { Cell, Column, ResourceDefinition } from "../registry/definition.ts";
import type { KubernetesObject } from "../object.ts";
import { resources } from "../resources.ts";

const eventColumns: readonly Column[] = [
  column("Last Seen", "The time since it happened last."),
  column("Type", "Normal or Warning."),
  column("Reason", "Why, in one word."),
  column("Object", "What it happened to."),
  wideColumn("Subobject", "The part of the object."),
  wideColumn("Source", "Who reported it."),
  column("Message", "What happened."),
  wideColumn("First Seen", "The time since it happened first."),
  wideColumn("Count", "How often it happened."),
  { ...nameColumn, priority: 1 },
];

function sourceText(event: CoreV1Event): string {
  const component = event.source?.component || event.reportingComponent || "";
  const host = event.source?.host || event.reportingInstance || "";
  return host === "" ? component : `${component}, ${host}`;
}

function eventCells(event: CoreV1Event, now: Date): readonly Cell[] {
  const first = event.firstTimestamp ?? event.eventTime;
  const last = event.series?.lastObservedTime ?? event.lastTimestamp ?? first;
  const { kind = "", name, fieldPath } = event.involvedObject ?? {};
  return [
    timeSince(last, now),
    event.type ?? "",
    event.reason ?? "",
    name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase(),
    fieldPath ?? "",
    sourceText(event),
    (event.message ?? "").trim(),
    timeSince(first, now),
    event.series?.count ?? (event.count || 1),
    nameOf(event),
  ];
}

function eventFields(event: CoreV1Event): Readonly<Record<string, string>> {
  const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = event.involvedObject ?? {};
  return {
    "involvedObject.kind": kind ?? "",
    "involvedObject.namespace": namespace ?? "",
    "involvedObject.name": name ?? "",
    "involvedObject.uid": uid ?? "",
    "involvedObject.apiVersion": apiVersion ?? "",
    "involvedObject.resourceVersion": resourceVersion ?? "",
    "involvedObject.fieldPath": fieldPath ?? "",
    reason: event.reason ?? "",
    reportingComponent: event.reportingComponent ?? "",
    source: event.source?.component || event.reportingComponent || "",
    type: event.type ?? "",
  };
}

export const events = defineResource(resources.events, {
  shortNames: ["ev"],
  type: "CoreV1Event",
  columns: eventColumns,
  cells: eventCells,
  fields: eventFields,
  validate({ involvedObject, metadata }: CoreV1Event) {
    // An event lies in the namespace of what it speaks of, events of cluster-scoped objects in `default`.
    const namespace = involvedObject?.namespace || "default";
    if (metadata?.namespace === namespace || metadata?.namespace === "kube-system") return [];
    return [forbiddenValue("involvedObject.namespace", "does not match event.namespace")];
  },
});

function fromStored(stored: KubernetesObject): EventsV1Event {
  const event = stored as CoreV1Event;
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...rest } = event;
  const served: Record<string, unknown> = {
    ...rest,
    apiVersion: "events.k8s.io/v1",
    // The field is required, and null where a client of core/v1 has set no such time.
    eventTime: event.eventTime ?? null,
    regarding: involvedObject,
    note: message,
    reportingController: reportingComponent,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
  };
  return withoutUndefined(served) as unknown as EventsV1Event;
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function toStored(event: EventsV1Event): CoreV1Event {
  const {
    regarding,
    note,
    reportingController,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    ...rest
  } = event;
  const stored: Record<string, unknown> = {
    ...rest,
    apiVersion: "v1",
    involvedObject: regarding ?? {},
    message: note,
    reportingComponent: reportingController,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
  };
  return withoutUndefined(stored) as unknown as CoreV1Event;
}

/** What can be selected, by the newer names. */
function eventsV1Fields(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (name === "source") return [];
      if (name === "reportingComponent") return [["reportingController", value]];
      return [[name.replace(/^involvedObject\./, "regarding."), value]];
    }),
  );
}

/** The same objects under their newer group. */
export const eventsV1: ResourceDefinition<EventsV1Event> = {
  ...defineResource(resources.eventsV1, {
    shortNames: ["ev"],
    type: "EventsV1Event",
    storage: { group: "", plural: "events" },
    columns: eventColumns,
    cells: (event, now) => eventCells(toStored(event), now),
    fields: (event) => eventsV1Fields(eventFields(toStored(event))),
  }),
  conversion: { toServed: fromStored, toStored },
};
