/** What is allowed whatever the roles say: upstream's superusers, and the parts of the cluster itself. */
import type { Attributes, Authorizer } from "./authorizer.ts";

const privilegedGroups = new Set(["system:masters"]);
/** The control plane and the nodes; the node authorizer and the bootstrap roles narrow this down (docs/decisions). */
const clusterGroups = new Set(["system:nodes"]);
const clusterUsers = new Set(["system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"]);

const publicPaths = ["/healthz", "/livez", "/readyz", "/version"];
/** Everyone who has an identity may look around: upstream's role system:discovery. */
const discoveryPaths = ["/api", "/apis", "/openapi", "/.well-known/openid-configuration", "/openid/v1/jwks"];

export const builtInAuthorizer: Authorizer = {
  isAllowed: (user, attributes) => {
    if (user.groups.some((group) => privilegedGroups.has(group) || clusterGroups.has(group))) return true;
    if (clusterUsers.has(user.name)) return true;
    if (attributes.path === undefined || attributes.verb !== "get") return false;
    if (isUnder(attributes, publicPaths)) return true;
    return user.groups.includes("system:authenticated") && isUnder(attributes, discoveryPaths);
  },
};

function isUnder({ path = "" }: Attributes, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
