/** Under which name a writer is recorded in `metadata.managedFields`. */
import type { User } from "../user.ts";

/** Upstream's limit. */
const longestName = 128;
/** Our own components' client, which says nothing about who uses it. */
const ownClient = "netloom";

/** `kubectl` of `kubectl/v1.33.0 (linux/amd64) …`; our components by their user. */
export function fieldManagerOf(
  user: User,
  { wanted, userAgent }: { readonly wanted: string; readonly userAgent: string },
): string {
  if (wanted !== "") return wanted;
  const [client = ""] = userAgent.split("/");
  const name = client === "" || client === ownClient ? componentOf(user.name) : client;
  return name.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "").slice(0, longestName);
}

/** `system:node:node-1` is its kubelet; other names of the system end in the component's. */
function componentOf(userName: string): string {
  if (userName.startsWith("system:node:")) return "kubelet";
  if (userName === "system:apiserver") return "kube-apiserver";
  // Each controller has an account of its own, and upstream's are one program.
  if (userName.startsWith("system:serviceaccount:kube-system:")) return "kube-controller-manager";
  return userName.slice(userName.lastIndexOf(":") + 1);
}
