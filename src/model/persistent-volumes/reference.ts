import type { ObjectReference, PersistentVolumeClaim } from "../../api/generated/types.ts";

/** How a volume names the claim it belongs to. */
export function claimReference({ metadata }: PersistentVolumeClaim): ObjectReference {
  const { name = "", namespace = "", uid = "" } = metadata ?? {};
  return { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid };
}
