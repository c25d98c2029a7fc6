/** Which volume suits a claim. */
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { parseQuantity, quantityUnits } from "../../lib/quantity/index.ts";

function storage(quantities: Readonly<Record<string, string>> | undefined): number {
  return quantityUnits(parseQuantity(quantities?.["storage"] ?? "0"));
}

/** Reserved for the claim, by a user or by an earlier look. */
export function isReservedFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { namespace, name, uid = "" } = spec?.claimRef ?? {};
  return namespace === metadata?.namespace && name === metadata?.name && (uid === "" || uid === metadata?.uid);
}

/** The one reserved for the claim; else the smallest free one of its class that is large enough and can what it asks. */
export function matchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
): PersistentVolume | undefined {
  const reserved = volumes.find((volume) => isReservedFor(volume, claim));
  if (reserved !== undefined) return reserved;
  const { storageClassName = "", accessModes = [], selector, volumeMode = "Filesystem" } = claim.spec ?? {};
  const suitable = volumes.filter(
    ({ metadata, spec, status }) =>
      spec?.claimRef === undefined &&
      metadata?.deletionTimestamp === undefined &&
      (status?.phase === "Available" || status?.phase === "Pending" || status?.phase === undefined) &&
      (spec?.storageClassName ?? "") === storageClassName &&
      (spec?.volumeMode ?? "Filesystem") === volumeMode &&
      accessModes.every((mode) => spec?.accessModes?.includes(mode)) &&
      (selector === undefined || matchesSelector(selector, metadata?.labels ?? {})) &&
      storage(spec?.capacity) >= storage(claim.spec?.resources?.requests),
  );
  return suitable.toSorted((a, b) => storage(a.spec?.capacity) - storage(b.spec?.capacity))[0];
}
