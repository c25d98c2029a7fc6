/** Nodes write only about themselves: the second half of what the node authorizer begins, for what a URL does not tell. */
import type { CertificateSigningRequest, Lease, Node, Pod } from "../../../api/generated/types.ts";
import { forbidden } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { parseCertificationRequest } from "../../../machinery/pki/index.ts";
import { kubeletClientSigner } from "../../../model/certificates/index.ts";
import { podReferences } from "../../../model/pod-references/index.ts";
import { nodeOf } from "../user.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const mirrorAnnotation = "kubernetes.io/config.mirror";
const restrictedPrefix = "node-restriction.kubernetes.io/";
const leaseNamespace = "kube-node-lease";

export const nodeRestriction: AdmissionPlugin = {
  name: "NodeRestriction",
  validate: (request) => {
    const node = nodeOf(request.user);
    if (node === undefined) return;
    const why = problemOf(node, request);
    if (why === undefined) return;
    const { definition, name } = request;
    throw forbidden({ group: definition.group, name: definition.plural }, name, why);
  },
};

function problemOf(node: string, request: AdmissionRequest): string | undefined {
  const { definition } = request;
  switch (definition.group === "" ? definition.plural : `${definition.plural}.${definition.group}`) {
    case "pods":
      return podProblem(node, request);
    case "nodes":
      return nodeProblem(node, request);
    case "certificatesigningrequests.certificates.k8s.io":
      return requestProblem(request);
    case "leases.coordination.k8s.io":
      return leaseProblem(node, request);
    case "csinodes.storage.k8s.io":
      return nameOf(request) === node ? undefined : "can only access CSINode with the same name as the requesting node";
    default:
      return undefined;
  }
}

const nameOf = ({ name, object }: AdmissionRequest): string => (name === "" ? (object?.metadata?.name ?? "") : name);

function podProblem(node: string, request: AdmissionRequest): string | undefined {
  const { operation, subresource } = request;
  const pod: Pod | undefined = request.object;
  const old: Pod | undefined = request.old;
  if (operation === "DELETE") {
    return old?.spec?.nodeName === node
      ? undefined
      : `node "${node}" can only delete pods with spec.nodeName set to itself`;
  }
  if (operation === "UPDATE") {
    if (subresource !== "status") return `node "${node}" can only update pod status`;
    if (old?.spec?.nodeName !== node) {
      return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`;
    }
    return isJsonEqual(old.metadata?.labels ?? {}, pod?.metadata?.labels ?? {})
      ? undefined
      : `node "${node}" cannot update labels through pod status`;
  }
  return operation === "CREATE" && pod !== undefined ? mirrorProblem(node, pod) : undefined;
}

/** A node makes pods only to show what runs on it anyway. */
function mirrorProblem(node: string, pod: Pod): string | undefined {
  if (pod.metadata?.annotations?.[mirrorAnnotation] === undefined) {
    return `pod does not have "${mirrorAnnotation}" annotation, node "${node}" can only create mirror pods`;
  }
  if (pod.spec?.nodeName !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`;
  const owners = pod.metadata.ownerReferences ?? [];
  if (owners.length > 1) return `node "${node}" can only create pods with a single owner reference set to itself`;
  const [owner] = owners;
  if (owner !== undefined && (owner.kind !== "Node" || owner.name !== node)) {
    return `node "${node}" can only create pods with an owner reference set to itself`;
  }
  const { serviceaccounts, secrets, configmaps, persistentvolumeclaims } = podReferences(pod);
  if (serviceaccounts.size > 0) return `node "${node}" can not create pods that reference a service account`;
  if (secrets.size > 0) return `node "${node}" can not create pods that reference secrets`;
  if (configmaps.size > 0) return `node "${node}" can not create pods that reference configmaps`;
  return persistentvolumeclaims.size > 0
    ? `node "${node}" can not create pods that reference persistentvolumeclaims`
    : undefined;
}

function nodeProblem(node: string, request: AdmissionRequest): string | undefined {
  const { operation } = request;
  const name = nameOf(request);
  if (name !== node) {
    return operation === "DELETE"
      ? `node "${node}" is not allowed to delete node "${name}"`
      : `node "${node}" is not allowed to modify node "${name}"`;
  }
  const next: Node | undefined = request.object;
  const old: Node | undefined = request.old;
  if (operation === "DELETE" || next === undefined) return undefined;
  if (operation === "UPDATE" && !isJsonEqual(next.spec?.taints ?? [], old?.spec?.taints ?? [])) {
    return `node "${node}" is not allowed to modify taints`;
  }
  const changed = changedLabels(next, old).filter((label) => label.includes(restrictedPrefix));
  return changed.length === 0 ? undefined : `is not allowed to modify labels: ${changed.toSorted().join(", ")}`;
}

function changedLabels(next: Node, old: Node | undefined): readonly string[] {
  const after = next.metadata?.labels ?? {};
  const before = old?.metadata?.labels ?? {};
  return [...new Set([...Object.keys(after), ...Object.keys(before)])].filter((key) => after[key] !== before[key]);
}

/** A node asks for certificates of its own name only; approvers and signers rely on it. */
function requestProblem({ operation, object, user }: AdmissionRequest): string | undefined {
  if (operation !== "CREATE" || object === undefined) return undefined;
  const { signerName, request } = (object as CertificateSigningRequest).spec;
  if (signerName !== "kubernetes.io/kubelet-serving" && signerName !== kubeletClientSigner) return undefined;
  const parsed = parseCertificationRequest(request);
  if (parsed === undefined) return "unable to parse csr";
  return parsed.commonName === user.name ? undefined : `can only create a node CSR with CN=${user.name}`;
}

function leaseProblem(node: string, request: AdmissionRequest): string | undefined {
  const lease: Lease | undefined = request.object;
  if (request.namespace !== leaseNamespace) {
    return `can only access leases in the "${leaseNamespace}" system namespace`;
  }
  const name = request.operation === "CREATE" ? lease?.metadata?.name : nameOf(request);
  return name === node ? undefined : "can only access node lease with the same name as the requesting node";
}
