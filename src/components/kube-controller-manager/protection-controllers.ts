/** Lets claims, volumes and attribute classes that are to go, go once nobody uses them. */
import type { Pod } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import {
  attributeClassesOfClaim,
  attributesProtection,
  claimProtection,
  planAttributesProtection,
  planClaimProtection,
  planVolumeProtection,
  volumeProtection,
  withProtection,
} from "../../model/persistent-volumes/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";

export const createClaimProtectionController: CreateController = (context) => {
  const { client, informers } = context;
  const { persistentVolumeClaims: claims, pods } = informers;
  const reconciler = reconcilerOf(context, {
    name: "persistentvolumeclaim-protection",
    waitFor: [claims, pods],
    reconcile: async (key) => {
      const claim = claims.store.get(key);
      if (claim === undefined) return;
      const plan = planClaimProtection(claim, pods.store.byIndex("namespace", claim.metadata?.namespace ?? ""));
      if (plan === undefined) return;
      const next = withProtection(claim, { finalizer: claimProtection, plan });
      await whereItStillIs(client.update(resources.persistentVolumeClaims, next));
    },
  });
  reconciler.on(claims, ownKey);
  // A claim waits for pods that go; those that come do not change what holds.
  reconciler.on(pods, (change) => (isLeaving(change.current) ? versions(change).flatMap(claimsOf) : []));
  return reconciler;
};

export const createVolumeProtectionController: CreateController = (context) => {
  const { client, informers } = context;
  const { persistentVolumes: volumes } = informers;
  const reconciler = reconcilerOf(context, {
    name: "persistentvolume-protection",
    waitFor: [volumes],
    reconcile: async (name) => {
      const volume = volumes.store.get(name);
      const plan = volume === undefined ? undefined : planVolumeProtection(volume);
      if (volume === undefined || plan === undefined) return;
      const next = withProtection(volume, { finalizer: volumeProtection, plan });
      await whereItStillIs(client.update(resources.persistentVolumes, next));
    },
  });
  reconciler.on(volumes, ownKey);
  return reconciler;
};

export const createAttributesProtectionController: CreateController = (context) => {
  const { client, informers } = context;
  const { persistentVolumeClaims: claims, persistentVolumes: volumes, volumeAttributesClasses: classes } = informers;
  const reconciler = reconcilerOf(context, {
    name: "volumeattributesclass-protection",
    waitFor: [classes, claims, volumes],
    reconcile: async (name) => {
      const attributes = classes.store.get(name);
      if (attributes === undefined) return;
      const users = { claims: claims.store.list(), volumes: volumes.store.list() };
      const plan = planAttributesProtection(attributes, users);
      if (plan === undefined) return;
      const next = withProtection(attributes, { finalizer: attributesProtection, plan });
      await whereItStillIs(client.update(resources.volumeAttributesClasses, next));
    },
  });
  reconciler.on(classes, ownKey);
  // Only what goes or changes its class lets one go.
  reconciler.on(claims, ({ previous }) => (previous === undefined ? [] : attributeClassesOfClaim(previous)));
  reconciler.on(volumes, ({ previous }) => {
    const name = previous?.spec?.volumeAttributesClassName ?? "";
    return name === "" ? [] : [name];
  });
  return reconciler;
};

function isLeaving(pod: Pod | undefined): boolean {
  return pod === undefined || pod.metadata?.deletionTimestamp !== undefined;
}

/** Keys of the claims that a pod names or has made. */
function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim =
      persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${metadata?.name}-${name}`);
    return claim === undefined ? [] : [`${metadata?.namespace ?? ""}/${claim}`];
  });
}
