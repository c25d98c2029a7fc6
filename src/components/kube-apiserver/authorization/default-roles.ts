/** The roles every cluster has from its first moment: upstream's, as far as something here asks for them. */
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from "../../../api/generated/types.ts";

const labels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "true" };
const apiGroup = "rbac.authorization.k8s.io";

function role(name: string, rules: readonly PolicyRule[]): ClusterRole {
  return { metadata: { name, labels, annotations }, rules };
}

function binding(name: string, groups: readonly string[]): ClusterRoleBinding {
  return {
    metadata: { name, labels, annotations },
    roleRef: { apiGroup, kind: "ClusterRole", name },
    subjects: groups.map((group) => ({ apiGroup, kind: "Group", name: group })),
  };
}

const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
const discoveryPaths = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", ...publicPaths];
const readVerbs = ["get", "list", "watch"];
const writeVerbs = ["create", "delete", "deletecollection", "patch", "update"];
const coreWorkloads = [
  "configmaps",
  "endpoints",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "replicationcontrollers/scale",
  "serviceaccounts",
  "services",
];
const workloadGroups: readonly PolicyRule[] = [
  {
    apiGroups: ["apps"],
    resources: [
      "controllerrevisions",
      "daemonsets",
      "deployments",
      "deployments/scale",
      "replicasets",
      "replicasets/scale",
      "statefulsets",
      "statefulsets/scale",
    ],
    verbs: [],
  },
  { apiGroups: ["autoscaling"], resources: ["horizontalpodautoscalers"], verbs: [] },
  { apiGroups: ["batch"], resources: ["cronjobs", "jobs"], verbs: [] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: [] },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "networkpolicies"], verbs: [] },
  { apiGroups: ["policy"], resources: ["poddisruptionbudgets"], verbs: [] },
];
const viewRules: readonly PolicyRule[] = [
  {
    apiGroups: [""],
    resources: [...coreWorkloads, "events", "limitranges", "namespaces", "pods/log", "pods/status", "resourcequotas"],
    verbs: readVerbs,
  },
  ...workloadGroups.map((rule) => ({ ...rule, verbs: readVerbs })),
];
const editRules: readonly PolicyRule[] = [
  ...viewRules,
  {
    apiGroups: [""],
    resources: ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "services/proxy", "secrets"],
    verbs: [...readVerbs, ...writeVerbs],
  },
  { apiGroups: [""], resources: coreWorkloads, verbs: writeVerbs },
  { apiGroups: [""], resources: ["pods/eviction", "serviceaccounts/token"], verbs: ["create"] },
  ...workloadGroups.map((rule) => ({ ...rule, verbs: writeVerbs })),
];
const adminRules: readonly PolicyRule[] = [
  ...editRules,
  { apiGroups: [apiGroup], resources: ["rolebindings", "roles"], verbs: [...readVerbs, ...writeVerbs] },
];

export const defaultRoles: readonly ClusterRole[] = [
  role("cluster-admin", [
    { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
    { nonResourceURLs: ["*"], verbs: ["*"] },
  ]),
  role("system:discovery", [{ nonResourceURLs: discoveryPaths, verbs: ["get"] }]),
  role("system:public-info-viewer", [{ nonResourceURLs: publicPaths, verbs: ["get"] }]),
  role("system:service-account-issuer-discovery", [
    {
      nonResourceURLs: [
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/",
        "/openid/v1/jwks",
        "/openid/v1/jwks/",
      ],
      verbs: ["get"],
    },
  ]),
  role("admin", adminRules),
  role("edit", editRules),
  role("view", viewRules),
];

export const defaultBindings: readonly ClusterRoleBinding[] = [
  binding("cluster-admin", ["system:masters"]),
  binding("system:discovery", ["system:authenticated"]),
  binding("system:service-account-issuer-discovery", ["system:serviceaccounts"]),
  binding("system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
];
