/** How the first roles are written down: one short line per rule. */
import type { ClusterRole, PolicyRule, RbacV1Subject } from "../../../../api/generated/types.ts";

export const rbacGroup = "rbac.authorization.k8s.io";

/** What tells a first role or binding from those that users made; upstream's. */
export const firstMetadata = {
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults" },
  annotations: { "rbac.authorization.kubernetes.io/autoupdate": "true" },
} as const;

export const read = "get list watch";
export const write = "create delete deletecollection patch update";

const words = (text: string): readonly string[] => text.split(" ").toSorted();

/** Space-separated words; "core" is the group without a name. */
export function rule(verbs: string, groups: string, resources: string, names = ""): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups)
      .map((group) => (group === "core" ? "" : group))
      .toSorted(),
    resources: words(resources),
    ...(names === "" ? {} : { resourceNames: words(names) }),
  };
}

export function pathRule(verbs: string, paths: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}

/** Every part of the system may tell what happens. */
export const tellsEvents = rule("create patch update", "core events.k8s.io", "events");

export function role(
  name: string,
  rules: readonly PolicyRule[],
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  const { annotations } = firstMetadata;
  return { metadata: { name, labels: { ...firstMetadata.labels, ...labels }, annotations }, rules };
}

export const toUser = (name: string): RbacV1Subject => ({ kind: "User", apiGroup: rbacGroup, name });
export const toGroup = (name: string): RbacV1Subject => ({ kind: "Group", apiGroup: rbacGroup, name });
export const toAccount = (name: string, namespace = "kube-system"): RbacV1Subject => ({
  kind: "ServiceAccount",
  name,
  namespace,
});
