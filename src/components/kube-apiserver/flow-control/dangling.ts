/** Tells of each FlowSchema whether its priority level is there: condition Dangling. */
import type { FlowSchema } from "../../../api/generated/types.ts";
import type { KubernetesObject, Resource } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import { ApiError } from "../../../api/status.ts";
import type { ApiClient } from "../../../client/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { ObjectStore } from "../../../storage/index.ts";

/** As upstream's. */
const fieldManager = "api-priority-and-fairness-config-consumer-v1";
const placeOf = ({ plural, group }: Resource<KubernetesObject>): string => `${plural}.${group}`;
const schemaPlace = placeOf(resources.flowSchemas);
const levelPlace = placeOf(resources.priorityLevelConfigurations);

/** Until the returned function is called. What is stored already is looked at first. */
export function keepDangling({
  store,
  client,
  clock,
  log,
}: {
  readonly store: ObjectStore;
  readonly client: Pick<ApiClient, "update">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
}): () => void {
  const look = (schema: FlowSchema): void => {
    const level = schema.spec?.priorityLevelConfiguration.name ?? "";
    const isThere = store.get({ resource: levelPlace, namespace: "", name: level }) !== undefined;
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const next = withDangling(schema, { isThere, now });
    if (next === schema) return;
    client.update(resources.flowSchemas, next, { subresource: "status", fieldManager }).catch((error: unknown) => {
      // Who wrote it meanwhile brings us here again.
      if (error instanceof ApiError && (error.reason === "Conflict" || error.reason === "NotFound")) return;
      log.warn("cannot tell whether the level of a FlowSchema is there", { name: schema.metadata?.name, error });
    });
  };
  const all = (): readonly FlowSchema[] => store.list(schemaPlace).items.map(({ object }) => object as FlowSchema);
  for (const schema of all()) look(schema);
  const stops = [
    store.watch(schemaPlace, store.revision, ({ type, current }) => {
      if (type !== "DELETED") look(current.object);
    }),
    store.watch(levelPlace, store.revision, ({ type, current: { key } }) => {
      if (type === "MODIFIED") return;
      for (const schema of all()) if (schema.spec?.priorityLevelConfiguration.name === key.name) look(schema);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** The schema itself where it says so already. `now` in whole seconds. */
export function withDangling(
  schema: FlowSchema,
  { isThere, now }: { readonly isThere: boolean; readonly now: string },
): FlowSchema {
  const level = schema.spec?.priorityLevelConfiguration.name ?? "";
  const wanted = {
    type: "Dangling",
    status: isThere ? "False" : "True",
    reason: isThere ? "Found" : "NotFound",
    message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${isThere ? "and it exists" : "but there is no such object"}`,
  };
  const conditions = schema.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === wanted.type);
  const isSame = old?.status === wanted.status && old.reason === wanted.reason && old.message === wanted.message;
  if (isSame) return schema;
  const others = conditions.filter((condition) => condition !== old);
  return { ...schema, status: { ...schema.status, conditions: [...others, { ...wanted, lastTransitionTime: now }] } };
}
