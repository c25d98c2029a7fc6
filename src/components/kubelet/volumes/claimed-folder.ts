/** The folder behind a claim: of a volume that is a place on the node. */
import type { Pod } from "../../../api/generated/types.ts";
import { makeHostFolder, resolveHostPath } from "../../../container/index.ts";
import { isProvisionedByUs } from "../../../model/persistent-volumes/index.ts";
import type { ClusterObjects } from "../objects.ts";

/** The claim or its volume is not there yet, or of a kind that no node can mount here. */
class ClaimError extends Error {
  override readonly name = "ClaimError";
  readonly code = "VOLUME_CLAIM";
}

/** Rejects with `ClaimError` while the claim is not bound: the pod waits. */
export async function claimedFolder(
  nodeRoot: string,
  objects: Pick<ClusterObjects, "persistentVolumeClaim" | "persistentVolume">,
  pod: Pod,
  claimName: string,
): Promise<string> {
  const { namespace = "default" } = pod.metadata ?? {};
  const claim = await objects.persistentVolumeClaim(namespace, claimName);
  if (claim === undefined) throw new ClaimError(`persistentvolumeclaim "${claimName}" not found`);
  const volumeName = claim.spec?.volumeName ?? "";
  if (volumeName === "" || claim.status?.phase !== "Bound") {
    throw new ClaimError(`PVC ${namespace}/${claimName} is not bound`);
  }
  const volume = await objects.persistentVolume(volumeName);
  if (volume === undefined) throw new ClaimError(`persistentvolume "${volumeName}" not found`);
  const { hostPath, local } = volume.spec ?? {};
  if (local !== undefined) return resolveHostPath(nodeRoot, local.path, "Directory");
  if (hostPath === undefined) throw new ClaimError(`no volume plugin matched for persistentvolume "${volumeName}"`);
  if (!isProvisionedByUs(volume)) return resolveHostPath(nodeRoot, hostPath.path, hostPath.type);
  // For any user of the pod, as other provisioners of folders do.
  return makeHostFolder(nodeRoot, hostPath.path);
}
