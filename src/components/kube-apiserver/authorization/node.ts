/** Nodes: each reads only what its own pods need, and writes only what tells about itself. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttachment } from "../../../api/generated/types.ts";
import { podReferences } from "../../../model/pod-references/index.ts";
import { ruleAllows } from "../../../model/rbac/index.ts";
import type { ObjectStore, StoreKey } from "../../../storage/index.ts";
import { nodeOf } from "../user.ts";
import { noOpinion } from "./authorizer.ts";
import type { Attributes, Authorizer, Decision } from "./authorizer.ts";
import { nodeRules } from "./policy/index.ts";

type Asked = Attributes & Required<Pick<Attributes, "resource">>;

const allowed: Decision = { isAllowed: true, reason: "" };
const refused = (reason: string): Decision => ({ isAllowed: false, reason });

/** Keeps which pods are on which node; what they need is read off them at each question. */
export function nodeAuthorizer(store: ObjectStore): Authorizer {
  const onNode = indexByNode(store);
  const podsOf = (node: string, namespace?: string): readonly Pod[] =>
    [...(onNode.get(node)?.values() ?? [])]
      .filter((key) => namespace === undefined || key.namespace === namespace)
      .flatMap((key) => store.get(key)?.object ?? []);

  /** Does a pod of the node lead to the object? */
  const isNeeded = (node: string, { resource }: Asked): boolean => {
    const { namespace, name } = resource;
    switch (resource.resource) {
      case "secrets":
      case "configmaps":
      case "persistentvolumeclaims":
      case "serviceaccounts": {
        const kind = resource.resource;
        if (podsOf(node, namespace).some((pod) => podReferences(pod)[kind].has(name))) return true;
        return kind === "secrets" && secretsOfVolumes(node, namespace).has(name);
      }
      case "persistentvolumes":
        return volumesOf(node).some((volume) => volume.metadata?.name === name);
      case "volumeattachments": {
        const key = { resource: "volumeattachments.storage.k8s.io", namespace: "", name };
        const attachment = store.get(key)?.object as VolumeAttachment | undefined;
        return attachment?.spec.nodeName === node;
      }
      default:
        return false;
    }
  };

  const volumesOf = (node: string): readonly PersistentVolume[] =>
    podsOf(node).flatMap((pod) => {
      const namespace = pod.metadata?.namespace ?? "";
      return [...podReferences(pod).persistentvolumeclaims].flatMap((claimName) => {
        const key = { resource: "persistentvolumeclaims", namespace, name: claimName };
        const claim: PersistentVolumeClaim | undefined = store.get(key)?.object;
        const volumeName = claim?.spec?.volumeName ?? "";
        const volume: PersistentVolume | undefined = store.get({
          resource: "persistentvolumes",
          namespace: "",
          name: volumeName,
        })?.object;
        return volume === undefined ? [] : [volume];
      });
    });

  const secretsOfVolumes = (node: string, namespace: string): ReadonlySet<string> => {
    const names = volumesOf(node).flatMap(({ spec }) => {
      const { csi } = spec ?? {};
      const references = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef];
      return references.filter((one) => one?.namespace === namespace).map((one) => one?.name ?? "");
    });
    return new Set(names);
  };

  const related = (node: string, asked: Asked): Decision => {
    if (asked.resource.name === "") return refused("No Object name found");
    return isNeeded(node, asked) ? allowed : refused(`no relationship found between node '${node}' and this object`);
  };

  const decideFor = (node: string, asked: Asked): Decision | undefined => {
    const { verb, resource } = asked;
    const { group, subresource, namespace, name } = resource;
    switch (group === "" ? resource.resource : `${resource.resource}.${group}`) {
      case "secrets":
      case "configmaps":
        if (!["get", "list", "watch"].includes(verb)) return refused("can only read resources of this type");
        if (subresource !== "") return refused("cannot read subresource");
        if (namespace === "") return refused("can only read namespaced object of this type");
        return related(node, asked);
      case "persistentvolumeclaims":
        if (subresource === "status") {
          if (verb !== "update" && verb !== "patch") return refused("can only get/update/patch this type");
          return related(node, asked);
        }
        return readsOne(asked) ?? related(node, asked);
      case "persistentvolumes":
      case "resourceclaims.resource.k8s.io":
      case "volumeattachments.storage.k8s.io":
        return readsOne(asked) ?? related(node, asked);
      case "serviceaccounts":
        if (verb === "get" && subresource === "") return related(node, asked);
        if (verb !== "create" || name === "") return refused("can only create tokens for individual service accounts");
        if (subresource !== "token") return refused("can only create token subresource of serviceaccount");
        return related(node, asked);
      case "leases.coordination.k8s.io":
        return ownByName(node, asked, "node lease");
      case "csinodes.storage.k8s.io":
        return ownByName(node, asked, "CSINode");
      case "pods":
        return podsDecision(node, asked);
      case "nodes":
        return nodesDecision(node, asked);
      default:
        return undefined;
    }
  };

  const podsDecision = (node: string, { verb, resource }: Asked): Decision | undefined => {
    if (resource.subresource !== "") return undefined;
    if (verb === "list" || verb === "watch") {
      if (selects(resource.fieldSelector, "spec.nodeName", node)) return allowed;
      if (resource.name === "") return refused("can only list/watch pods with spec.nodeName field selector");
    } else if (verb !== "get") return undefined;
    const pod: Pod | undefined = store.get({ ...resource, resource: "pods" })?.object;
    if (pod === undefined || pod.spec?.nodeName === node) return allowed;
    return refused(`no relationship found between node '${node}' and this object`);
  };

  return {
    decide: (user, attributes) => {
      const node = nodeOf(user);
      if (node === undefined) return noOpinion;
      const { resource } = attributes;
      if (resource !== undefined) {
        const decision = decideFor(node, { ...attributes, resource });
        if (decision !== undefined) return decision;
      }
      const request =
        resource === undefined
          ? { verb: attributes.verb, path: attributes.path ?? "" }
          : {
              verb: attributes.verb,
              group: resource.group,
              resource:
                resource.subresource === "" ? resource.resource : `${resource.resource}/${resource.subresource}`,
              name: resource.name,
            };
      return nodeRules.some((rule) => ruleAllows(rule, request)) ? allowed : noOpinion;
    },
    rulesFor: (user) =>
      nodeOf(user) === undefined
        ? { rules: [] }
        : { rules: [], incomplete: "node authorizer does not support user rule resolution" },
  };
}

/** Where the pods of each node lie, as they are committed. */
function indexByNode(store: ObjectStore): ReadonlyMap<string, ReadonlyMap<string, StoreKey>> {
  const index = new Map<string, Map<string, StoreKey>>();
  const place = (key: StoreKey, { spec }: Pod, isThere: boolean): void => {
    const node = spec?.nodeName ?? "";
    if (node === "") return;
    const pods = index.get(node) ?? new Map<string, StoreKey>();
    index.set(node, pods);
    const path = `${key.namespace}/${key.name}`;
    if (isThere) pods.set(path, key);
    else pods.delete(path);
    if (pods.size === 0) index.delete(node);
  };
  const { items, revision } = store.list("pods");
  for (const pod of items) place(pod.key, pod.peek(), true);
  store.watch("pods", revision, ({ type, current }) => place(current.key, current.object, type !== "DELETED"));
  return index;
}

function readsOne({ verb, resource }: Asked): Decision | undefined {
  if (verb !== "get") return refused("can only get individual resources of this type");
  return resource.subresource === "" ? undefined : refused("cannot get subresource");
}

function ownByName(node: string, { verb, resource }: Asked, what: string): Decision {
  if (!["get", "create", "update", "patch", "delete"].includes(verb)) {
    return refused(`can only get, create, update, patch, or delete a ${what}`);
  }
  if (what === "CSINode" && resource.subresource !== "") return refused("cannot authorize CSINode subresources");
  if (what === "node lease" && resource.namespace !== "kube-node-lease") {
    return refused('can only access leases in the "kube-node-lease" system namespace');
  }
  // The name of what is created is not in the URL; admission looks at it.
  if (verb === "create" || resource.name === node) return allowed;
  return refused(`can only access ${what} with the same name as the requesting node`);
}

function nodesDecision(node: string, { verb, resource }: Asked): Decision | undefined {
  const { name, subresource } = resource;
  if (subresource !== "" || !["get", "list", "watch"].includes(verb)) return undefined;
  if (name === node) return allowed;
  const whose = name === "" ? "all nodes" : `'${name}'`;
  return refused(`node '${node}' cannot read ${whose}, only its own Node object`);
}

function selects(selector: string | undefined, field: string, value: string): boolean {
  return (selector ?? "").split(",").some((part) => part === `${field}=${value}` || part === `${field}==${value}`);
}
