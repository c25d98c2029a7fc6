/** Upstream's mandatory and suggested FlowSchemas and priority levels. */
import {
  autoUpdateAnnotation,
  mandatoryLevels,
  mandatorySchemas,
  suggestedLevels,
  suggestedSchemas,
} from "../../../api/flowcontrol/index.ts";
import type { ObjectMeta, PriorityLevelConfiguration } from "../../../api/generated/types.ts";
import type { KubernetesObject, Resource } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import { ApiError } from "../../../api/status.ts";
import type { ApiClient } from "../../../client/index.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { reconcile } from "../reconcile.ts";

interface Configuration extends KubernetesObject {
  readonly metadata?: ObjectMeta;
  readonly spec?: object;
}

/** Makes what is missing, mends what is not its user's, removes what is of another release. Safe to repeat. */
export async function keepFlowControl(client: ApiClient): Promise<void> {
  await Promise.all([
    keep<PriorityLevelConfiguration>(client, resources.priorityLevelConfigurations, {
      mandatory: mandatoryLevels,
      suggested: suggestedLevels,
      fit: withExempt,
    }),
    keep(client, resources.flowSchemas, {
      mandatory: mandatorySchemas,
      suggested: suggestedSchemas,
      fit: (wanted) => wanted,
    }),
  ]);
}

/** How much the exempt level lends is the administrator's. */
export function withExempt(
  wanted: PriorityLevelConfiguration,
  stored: PriorityLevelConfiguration,
): PriorityLevelConfiguration {
  const exempt = stored.spec?.exempt;
  if (wanted.spec?.exempt === undefined || exempt === undefined) return wanted;
  return { ...wanted, spec: { ...wanted.spec, exempt } };
}

interface FirstObjects<T> {
  readonly mandatory: readonly T[];
  readonly suggested: readonly T[];
  /** What is wanted of a stored object. */
  readonly fit: (wanted: T, stored: T) => T;
}

async function keep<T extends Configuration>(
  client: ApiClient,
  resource: Resource<T>,
  { mandatory, suggested, fit }: FirstObjects<T>,
): Promise<void> {
  const expected = [...mandatory, ...suggested];
  await Promise.all([
    reconcile(client, {
      resource,
      expected,
      // As upstream's.
      options: { fieldManager: "api-priority-and-fairness-config-producer-v1" },
      mend: (stored, wanted) =>
        revised(stored, { wanted: fit(wanted, stored), isMandatory: mandatory.includes(wanted) }),
    }),
    removeOthers(client, resource, new Set(expected.map(({ metadata }) => metadata?.name))),
  ]);
}

/** Of what a release made, those that this one does not have. */
async function removeOthers<T extends Configuration>(
  client: ApiClient,
  resource: Resource<T>,
  names: ReadonlySet<string | undefined>,
): Promise<void> {
  const { items } = await client.list(resource);
  const unwanted = items.filter(({ metadata }) => !names.has(metadata?.name) && isAutomatic(metadata) === true);
  await Promise.all(
    unwanted.map(async ({ metadata }) => {
      await unlessGone(client.delete(resource, { name: metadata?.name ?? "" }));
    }),
  );
}

/**
 * A suggested object is ours until its annotation says "false" or, where that says nothing, its spec was changed; then
 * the annotation tells so. The object itself where nothing differs.
 */
export function revised<T extends Configuration>(
  stored: T,
  { wanted, isMandatory }: { readonly wanted: T; readonly isMandatory: boolean },
): T {
  const { metadata } = stored;
  const said = isAutomatic(metadata);
  const isOurs = isMandatory || (said ?? metadata?.generation === 1);
  const spec = isOurs && !isJsonEqual(stored.spec, wanted.spec) ? wanted.spec : stored.spec;
  if (said === isOurs && spec === stored.spec) return stored;
  const annotations = { ...metadata?.annotations, [autoUpdateAnnotation]: String(isOurs) };
  return { ...stored, metadata: { ...metadata, annotations }, spec };
}

/** As Go reads booleans; undefined where the annotation is missing or says something else. */
function isAutomatic(metadata: ObjectMeta | undefined): boolean | undefined {
  const value = metadata?.annotations?.[autoUpdateAnnotation] ?? "";
  if (/^(1|t|T|TRUE|true|True)$/.test(value)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(value) ? false : undefined;
}

async function unlessGone(deleted: Promise<unknown>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "NotFound")) throw error;
  }
}
