/** Keeps the ControllerRevisions of a StatefulSet or DaemonSet. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { ControllerRevision, LabelSelector, PodTemplateSpec } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { planRevision, surplusRevisions } from "../../model/controller-revision/index.ts";
import { canonicalText, claim, controllerOf } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isAlreadyExists, whereItStillIs } from "./answers.ts";
import type { ControllerContext } from "./context.ts";

/** An object with a history. */
interface Historic {
  readonly resource: Resource<KubernetesObject>;
  readonly owner: KubernetesObject & {
    readonly spec?: {
      readonly selector: LabelSelector;
      readonly template: PodTemplateSpec;
      readonly revisionHistoryLimit?: number;
    };
  };
  readonly hashLabel: string;
}

/** The owner's revisions, those without an owner that match included. */
export async function claimRevisions(
  context: ControllerContext,
  { resource, owner }: Historic,
): Promise<readonly ControllerRevision[]> {
  const { controllerRevisions } = context.informers;
  const { uid = "", namespace = "" } = owner.metadata ?? {};
  const claims = claim(
    [...controllerRevisions.store.byIndex("owner", uid), ...controllerRevisions.store.byIndex("orphan", namespace)],
    { owner, matches: ({ metadata }) => matchesSelector(owner.spec?.selector, metadata?.labels ?? {}) },
  );
  for (const revision of claims.adopt) await adopt(context, { resource, owner }, controllerRevisions, revision);
  for (const revision of claims.release) await release(context, owner, controllerRevisions, revision);
  return claims.claimed;
}

/**
 * The revision of the owner's template, made or renumbered where necessary.
 *
 * @returns Undefined where another revision has the name made from the hash: `collisions` is to be raised.
 */
export async function newestRevision(
  { client, informers }: ControllerContext,
  historic: Historic,
  { revisions, collisions }: { readonly revisions: readonly ControllerRevision[]; readonly collisions: number },
): Promise<ControllerRevision | undefined> {
  const { owner } = historic;
  const plan = planRevision({ ...historic, template: owner.spec?.template ?? {}, revisions, collisions });
  if (plan.write === "none") return plan.newest;
  const { controllerRevisions } = informers;
  try {
    const written =
      plan.write === "create"
        ? await client.create(resources.controllerRevisions, plan.newest)
        : await client.update(resources.controllerRevisions, plan.newest);
    controllerRevisions.observe(written);
    return written;
  } catch (error) {
    if (plan.write !== "create" || !isAlreadyExists(error)) throw error;
  }
  const present = await client.get(resources.controllerRevisions, keyOf(plan.newest));
  const isOwn = controllerOf(present)?.uid === owner.metadata?.uid;
  if (!isOwn || canonicalText(present.data) !== canonicalText(plan.newest.data)) return undefined;
  controllerRevisions.observe(present);
  return present;
}

export async function removeSurplusRevisions(
  { client }: ControllerContext,
  { owner }: Historic,
  {
    revisions,
    isLive,
  }: { readonly revisions: readonly ControllerRevision[]; readonly isLive: (revision: ControllerRevision) => boolean },
): Promise<void> {
  const limit = owner.spec?.revisionHistoryLimit ?? 10;
  for (const revision of surplusRevisions(revisions, { limit, isLive })) {
    await whereItStillIs(client.delete(resources.controllerRevisions, keyOf(revision)));
  }
}
