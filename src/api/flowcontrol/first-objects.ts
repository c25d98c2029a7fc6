/** The flow control that upstream's API server makes: what must be there as it is (mandatory), and what is proposed. */
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  ResourcePolicyRule,
} from "../generated/types.ts";

/** "true" on what the server may put back to its own spec. */
export const autoUpdateAnnotation = "apf.kubernetes.io/autoupdate-spec";

const everyResource: ResourcePolicyRule = {
  verbs: ["*"],
  apiGroups: ["*"],
  resources: ["*"],
  clusterScope: true,
  namespaces: ["*"],
};
const everyPath: NonResourcePolicyRule = { verbs: ["*"], nonResourceURLs: ["*"] };
const everyLease = (verbs: readonly string[]): ResourcePolicyRule => ({
  verbs,
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
});

const user = (name: string): FlowcontrolV1Subject => ({ kind: "User", user: { name } });
const group = (name: string): FlowcontrolV1Subject => ({ kind: "Group", group: { name } });
const systemAccounts: FlowcontrolV1Subject = {
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name: "*" },
};
const everybody = [group("system:unauthenticated"), group("system:authenticated")];
const controllerManager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");
const nodes = group("system:nodes");

const metadata = (name: string) => ({ name, annotations: { [autoUpdateAnnotation]: "true" } });

function everythingOf(...subjects: readonly FlowcontrolV1Subject[]): PolicyRulesWithSubjects {
  return { subjects, resourceRules: [everyResource], nonResourceRules: [everyPath] };
}

function schema(
  name: string,
  priorityLevel: string,
  { precedence, by, rule }: { precedence: number; by?: "User" | "Namespace"; rule: PolicyRulesWithSubjects },
): FlowSchema {
  return {
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: priorityLevel },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: `By${by}` } }),
      rules: [rule],
    },
  };
}

/** A limited level; without `queues` what is too much is rejected. */
function level(
  name: string,
  shares: number,
  { lends, queues, hand = 6 }: { lends: number; queues?: number; hand?: number },
): PriorityLevelConfiguration {
  const limitResponse =
    queues === undefined
      ? { type: "Reject" }
      : { type: "Queue", queuing: { queues, handSize: hand, queueLengthLimit: 50 } };
  const limited = { nominalConcurrencyShares: shares, limitResponse, lendablePercent: lends };
  return { metadata: metadata(name), spec: { type: "Limited", limited } };
}

export const mandatoryLevels: readonly PriorityLevelConfiguration[] = [
  level("catch-all", 5, { lends: 0 }),
  {
    metadata: metadata("exempt"),
    spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
];

export const suggestedLevels: readonly PriorityLevelConfiguration[] = [
  level("system", 30, { lends: 33, queues: 64 }),
  level("node-high", 40, { lends: 25, queues: 64 }),
  level("leader-election", 10, { lends: 0, queues: 16, hand: 4 }),
  level("workload-high", 40, { lends: 50, queues: 128 }),
  level("workload-low", 100, { lends: 90, queues: 128 }),
  level("global-default", 20, { lends: 50, queues: 128 }),
];

export const mandatorySchemas: readonly FlowSchema[] = [
  schema("exempt", "exempt", { precedence: 1, rule: everythingOf(group("system:masters")) }),
  schema("catch-all", "catch-all", { precedence: 10_000, by: "User", rule: everythingOf(...everybody) }),
];

export const suggestedSchemas: readonly FlowSchema[] = [
  schema("probes", "exempt", {
    precedence: 2,
    rule: {
      subjects: everybody,
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
    },
  }),
  schema("system-leader-election", "leader-election", {
    precedence: 100,
    by: "User",
    rule: {
      subjects: [controllerManager, scheduler, systemAccounts],
      resourceRules: [everyLease(["get", "create", "update"])],
    },
  }),
  schema("system-node-high", "node-high", {
    precedence: 400,
    by: "User",
    rule: {
      subjects: [nodes],
      resourceRules: [{ ...everyResource, apiGroups: [""], resources: ["nodes", "nodes/status"] }, everyLease(["*"])],
    },
  }),
  schema("system-nodes", "system", { precedence: 500, by: "User", rule: everythingOf(nodes) }),
  schema("kube-controller-manager", "workload-high", {
    precedence: 800,
    by: "Namespace",
    rule: everythingOf(controllerManager),
  }),
  schema("kube-scheduler", "workload-high", { precedence: 800, by: "Namespace", rule: everythingOf(scheduler) }),
  schema("kube-system-service-accounts", "workload-high", {
    precedence: 900,
    by: "Namespace",
    rule: everythingOf(systemAccounts),
  }),
  schema("service-accounts", "workload-low", {
    precedence: 9000,
    by: "User",
    rule: everythingOf(group("system:serviceaccounts")),
  }),
  schema("global-default", "global-default", { precedence: 9900, by: "User", rule: everythingOf(...everybody) }),
];
