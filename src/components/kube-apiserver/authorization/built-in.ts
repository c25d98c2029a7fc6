/** What is allowed whatever the stored roles say: the superusers, the parts of the cluster itself, and a look at the health. */
import type { Attributes, Authorizer } from "./authorizer.ts";

const privilegedGroups = new Set(["system:masters"]);
/** The node authorizer and upstream's roles for the control plane narrow this down later. */
const clusterGroups = new Set(["system:nodes"]);
const clusterUsers = new Set(["system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]);

/** Needed before the first role is stored. */
const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

export const builtInAuthorizer: Authorizer = {
  isAllowed: (user, attributes) =>
    user.groups.some((group) => privilegedGroups.has(group) || clusterGroups.has(group)) ||
    clusterUsers.has(user.name) ||
    isPublic(attributes),
};

function isPublic({ verb, path }: Attributes): boolean {
  return verb === "get" && path !== undefined && publicPaths.includes(path);
}
