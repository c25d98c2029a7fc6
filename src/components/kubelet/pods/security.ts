/** Whose rights a container runs with. */
import type { Pod } from "../../../api/generated/types.ts";
import type { ContainerSpec, Image } from "../../../container/runtime.ts";
import type { AnyContainer } from "./find-container.ts";
import { StartError } from "./start-error.ts";

type Rights = Pick<
  ContainerSpec,
  "user" | "isPrivileged" | "isRootReadOnly" | "addedCapabilities" | "droppedCapabilities" | "hasNoNewPrivileges"
>;

/** The container's securityContext over the pod's over the image's user. Throws `StartError` where runAsNonRoot is broken. */
export function containerRights(pod: Pod, container: AnyContainer, image: Image): Rights {
  const ofPod = pod.spec?.securityContext ?? {};
  const own = container.securityContext ?? {};
  const uid = own.runAsUser ?? ofPod.runAsUser;
  const gid = own.runAsGroup ?? ofPod.runAsGroup;
  if (own.runAsNonRoot ?? ofPod.runAsNonRoot ?? false) checkNonRoot(pod, container, image, uid);
  const groups = [...(ofPod.supplementalGroups ?? []), ...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup])];
  const hasUser = uid !== undefined || gid !== undefined || groups.length > 0;
  const [imageUid = "", imageGid = ""] = image.user.split(":");
  return {
    user: hasUser
      ? { uid: uid ?? numberOf(imageUid), gid: gid ?? numberOf(imageGid), supplementalGroups: groups }
      : undefined,
    isPrivileged: own.privileged ?? false,
    isRootReadOnly: own.readOnlyRootFilesystem ?? false,
    addedCapabilities: own.capabilities?.add ?? [],
    droppedCapabilities: own.capabilities?.drop ?? [],
    hasNoNewPrivileges: own.allowPrivilegeEscalation === false,
  };
}

function numberOf(id: string): number {
  return /^\d+$/.test(id) ? Number(id) : 0;
}

function checkNonRoot(pod: Pod, container: AnyContainer, image: Image, uid: number | undefined): void {
  const { name, namespace, uid: podUid } = pod.metadata ?? {};
  const where = `(pod: "${name}_${namespace}(${podUid})", container: ${container.name})`;
  const fail = (message: string): StartError => new StartError("CreateContainerConfigError", `${message} ${where}`);
  if (uid === 0) throw fail("container's runAsUser breaks non-root policy");
  if (uid !== undefined) return;
  const [user = ""] = image.user.split(":");
  if (user === "" || user === "0") throw fail("container has runAsNonRoot and image will run as root");
  if (!/^\d+$/.test(user)) {
    throw fail(`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root`);
  }
}
