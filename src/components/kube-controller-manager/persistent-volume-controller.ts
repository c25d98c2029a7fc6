/** Binds claims to volumes; makes and removes those of the cluster's own class. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { planClaim, planVolume } from "../../model/persistent-volumes/index.ts";
import { isSame } from "../../model/workload/index.ts";
import { isAlreadyExists, whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf, versions } from "./keys.ts";

/** Before the name of a volume; claims are queued under their key. */
const volumePrefix = "volume:";

export const createPersistentVolumeController: CreateController = (context) => {
  const { client, informers } = context;
  const { persistentVolumes: volumes, persistentVolumeClaims: claims, storageClasses, pods } = informers;
  const recorder = context.recorder("persistentvolume-controller");

  const reconcileClaim = async (key: string): Promise<void> => {
    const claim = claims.store.get(key);
    if (claim === undefined) return;
    const namespace = claim.metadata?.namespace ?? "";
    const plan = planClaim({
      claim,
      volumes: volumes.store.list(),
      storageClass: storageClasses.store.get(claim.spec?.storageClassName ?? ""),
      pods: pods.store
        .byIndex("namespace", namespace)
        .filter(({ spec }) =>
          spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claim.metadata?.name),
        ),
    });
    if (plan.provision !== undefined) await provision(plan.provision);
    if (plan.reserve !== undefined) volumes.observe(await client.update(resources.persistentVolumes, plan.reserve));
    if (plan.event !== undefined) recorder.event(referenceTo(resources.persistentVolumeClaims, claim), plan.event);
    if (plan.bindTo !== undefined) claims.observe(await bind(claim, plan.bindTo));
    if (plan.status === undefined || isSame(plan.status, claim.status)) return;
    const written = { ...claim, status: plan.status };
    claims.observe(await client.update(resources.persistentVolumeClaims, written, { subresource: "status" }));
  };

  const provision = async (volume: PersistentVolume): Promise<void> => {
    try {
      volumes.observe(await client.create(resources.persistentVolumes, volume));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  };

  const bind = async (claim: PersistentVolumeClaim, volumeName: string): Promise<PersistentVolumeClaim> => {
    const annotations = {
      ...claim.metadata?.annotations,
      "pv.kubernetes.io/bind-completed": "yes",
      "pv.kubernetes.io/bound-by-controller": "yes",
    };
    return await client.update(resources.persistentVolumeClaims, {
      ...claim,
      metadata: { ...claim.metadata, annotations },
      spec: { ...claim.spec, volumeName },
    });
  };

  const reconcileVolume = async (name: string): Promise<void> => {
    const volume = volumes.store.get(name);
    if (volume === undefined) return;
    const { namespace = "", name: claimName = "" } = volume.spec?.claimRef ?? {};
    const { phase, remove } = planVolume(volume, claims.store.get(`${namespace}/${claimName}`));
    if (phase !== volume.status?.phase) {
      const written = { ...volume, status: { ...volume.status, phase } };
      volumes.observe(await client.update(resources.persistentVolumes, written, { subresource: "status" }));
    }
    if (remove && volume.metadata?.deletionTimestamp === undefined)
      await whereItStillIs(client.delete(resources.persistentVolumes, keyOf(volume)));
  };

  const reconciler = reconcilerOf(context, {
    name: "persistentvolume",
    waitFor: [volumes, claims, storageClasses, pods],
    reconcile: async (key) => {
      if (key.startsWith(volumePrefix)) await reconcileVolume(key.slice(volumePrefix.length));
      else await reconcileClaim(key);
    },
  });
  const unbound = (): readonly string[] =>
    claims.store
      .list()
      .filter(({ status }) => status?.phase !== "Bound")
      .map(textOf);
  reconciler.on(claims, (change) => [
    ...ownKey(change),
    ...versions(change)
      .map(({ spec }) => spec?.volumeName ?? "")
      .filter((name) => name !== "")
      .map((name) => volumePrefix + name),
  ]);
  reconciler.on(volumes, (change) => {
    const claimed = versions(change).map(({ spec }) => spec?.claimRef);
    return [
      ...(change.current === undefined ? [] : [volumePrefix + change.key]),
      ...claimed.filter((claim) => claim !== undefined).map(({ namespace, name }) => `${namespace}/${name}`),
      // A new volume may be what others wait for.
      ...(change.previous === undefined ? unbound() : []),
    ];
  });
  reconciler.on(storageClasses, unbound);
  reconciler.on(pods, ({ current, previous }) => {
    const isPlacedNow = (current?.spec?.nodeName ?? "") !== "" && (previous?.spec?.nodeName ?? "") === "";
    if (current === undefined || !isPlacedNow) return [];
    return (current.spec?.volumes ?? [])
      .map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName)
      .filter((name) => name !== undefined)
      .map((name) => `${current.metadata?.namespace ?? ""}/${name}`);
  });
  return reconciler;
};
