/** The roles of the cluster's own parts, and of everyone who asks what there is. */
import type { ClusterRole } from "../../../../api/generated/types.ts";
import { nodeRules } from "./node-rules.ts";
import { pathRule, read, role, rule, tellsEvents, write } from "./notation.ts";

const authentication = "authentication.k8s.io";
const authorization = "authorization.k8s.io";
const certificates = "certificates.k8s.io";
const coordination = "coordination.k8s.io";
const dynamic = "resource.k8s.io";
const storage = "storage.k8s.io";

const healthPaths = "/healthz /livez /readyz";
const requests = "certificatesigningrequests";
const approver = (name: string): ClusterRole =>
  role(`system:certificates.k8s.io:${name}-approver`, [
    rule("approve", certificates, "signers", `kubernetes.io/${name}`),
  ]);

export const systemRoles: readonly ClusterRole[] = [
  role("system:discovery", [
    pathRule("get", `/api /api/* /apis /apis/* /openapi /openapi/* /version /version/ ${healthPaths}`),
  ]),
  role("system:monitoring", [
    pathRule("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*"),
    rule("get", "core", "nodes/metrics"),
  ]),
  role("system:basic-user", [
    rule("create", authorization, "selfsubjectaccessreviews selfsubjectrulesreviews"),
    rule("create", authentication, "selfsubjectreviews"),
  ]),
  role("system:public-info-viewer", [pathRule("get", `/version /version/ ${healthPaths}`)]),
  role("system:service-account-issuer-discovery", [
    pathRule(
      "get",
      "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
    ),
  ]),
  role("system:heapster", [
    rule(read, "core", "events namespaces nodes pods"),
    rule(read, "extensions", "deployments"),
  ]),
  role("system:node", nodeRules),
  role("system:node-problem-detector", [
    rule("get", "core", "nodes"),
    rule("patch", "core", "nodes/status"),
    tellsEvents,
  ]),
  role("system:kubelet-api-admin", [
    rule(read, "core", "nodes"),
    rule("proxy", "core", "nodes"),
    rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
    rule("*", "core", "nodes/configz nodes/healthz nodes/pods"),
  ]),
  role("system:node-bootstrapper", [rule(`create ${read}`, certificates, requests)]),
  role("system:auth-delegator", [
    rule("create", authentication, "tokenreviews"),
    rule("create", authorization, "subjectaccessreviews"),
  ]),
  role("system:kube-aggregator", [rule(read, "core", "endpoints services")]),
  role("system:kube-controller-manager", [
    tellsEvents,
    rule("create", coordination, "leases"),
    rule("get update", coordination, "leases", "kube-controller-manager"),
    rule("create", "core", "secrets serviceaccounts"),
    rule("delete", "core", "secrets"),
    rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
    rule("update", "core", "secrets serviceaccounts"),
    rule("create", authentication, "tokenreviews"),
    rule("create", authorization, "subjectaccessreviews"),
    rule("list watch", "*", "*"),
    rule("create", "core", "serviceaccounts/token"),
  ]),
  role("system:kube-scheduler", [
    tellsEvents,
    rule("create", coordination, "leases"),
    rule("get list update watch", coordination, "leases", "kube-scheduler"),
    rule(`${read} ${write}`, coordination, "leasecandidates"),
    rule(read, "core", "nodes"),
    rule(`delete ${read}`, "core", "pods"),
    rule("create", "core", "bindings pods/binding"),
    rule("patch update", "core", "pods/status"),
    rule(read, "core", "replicationcontrollers services"),
    rule(read, "apps extensions", "replicasets"),
    rule(read, "apps", "statefulsets"),
    rule(read, "policy", "poddisruptionbudgets"),
    rule(read, "core", "persistentvolumeclaims persistentvolumes"),
    rule("create", authentication, "tokenreviews"),
    rule("create", authorization, "subjectaccessreviews"),
    rule(read, storage, "csinodes"),
    rule(read, storage, "volumeattachments"),
    rule(read, "core", "namespaces"),
    rule(read, storage, "csidrivers"),
    rule(read, storage, "csistoragecapacities"),
    rule(read, dynamic, "deviceclasses"),
    rule(`${read} patch update`, dynamic, "resourceclaims"),
    rule(`${read} patch update`, dynamic, "resourceclaims/status"),
    rule("update", "core", "pods/finalizers"),
    rule(read, dynamic, "resourceslices"),
  ]),
  role("system:kube-dns", [rule("list watch", "core", "endpoints services")]),
  role("system:persistent-volume-provisioner", [
    rule(`create delete ${read}`, "core", "persistentvolumes"),
    rule(`${read} update`, "core", "persistentvolumeclaims"),
    rule(read, storage, "storageclasses"),
    rule("watch", "core", "events"),
    tellsEvents,
  ]),
  role(`system:certificates.k8s.io:${requests}:nodeclient`, [rule("create", certificates, `${requests}/nodeclient`)]),
  role(`system:certificates.k8s.io:${requests}:selfnodeclient`, [
    rule("create", certificates, `${requests}/selfnodeclient`),
  ]),
  role("system:volume-scheduler", [
    rule(`${read} patch update`, "core", "persistentvolumes"),
    rule(read, storage, "storageclasses"),
    rule(`${read} patch update`, "core", "persistentvolumeclaims"),
  ]),
  approver("legacy-unknown"),
  approver("kubelet-serving"),
  approver("kube-apiserver-client"),
  approver("kube-apiserver-client-kubelet"),
  role("system:node-proxier", [
    rule("list watch", "core", "endpoints services"),
    rule(read, "core", "nodes"),
    tellsEvents,
    rule("list watch", "networking.k8s.io", "servicecidrs"),
    rule("list watch", "discovery.k8s.io", "endpointslices"),
  ]),
];
