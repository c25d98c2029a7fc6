import { basename } from "node:path";
import { type Cidr, ipFamily, type IpAddress, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import {
  createNetworkNamespace,
  isNetworkNamespace,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "../../kernel/netns/index.ts";
import { NamespaceNetwork } from "../../kernel/namespace-network/index.ts";
import { NetlinkError } from "../../kernel/rtnetlink/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { clusterPaths, type NodeConfig } from "../../model/cluster-config.ts";
import {
  diffNetwork,
  emptyState,
  mergePlans,
  type NetworkDifference,
  type NetworkOperation,
  type NetworkPlan,
  operationText,
} from "../../model/network-state/index.ts";
import {
  allocateAddress,
  isPodLinkName,
  type NodeNetwork,
  planNodeNetwork,
  planPodNetwork,
  podLinkName,
  vxlanMtu,
} from "../../model/pod-network/index.ts";
import { type Attachment, AttachmentStore } from "./attachment-store.ts";
import type { AttachedPod, PodNetworkOptions } from "./types.ts";

/** How many pods are looked into, in turn, so that a full node costs no more than a small one. */
const podsPerTick = { quiet: 1, changed: 25, untilAllSeen: 25 } as const;
const uplink = "eth0";
const usualMtuBytes = 1500;

export interface Resync {
  /** Whether the node is looked at though the kernel reported no change. */
  readonly isFull: boolean;
  /** Whether the next pod in turn is looked into. */
  readonly isPodsTurn: boolean;
  /** Undefined: at a start, when nothing was there before, or much has changed. */
  readonly log: Logger | undefined;
}

/** The pods of a node and their addresses. Everything is synchronous, so that nothing else of this thread runs in between. */
export class NodePods {
  readonly #options: PodNetworkOptions;
  readonly #log: Logger;
  readonly #store: AttachmentStore;
  readonly #network: NamespaceNetwork;
  readonly #netnsDir: string;
  readonly #podCidrs: readonly Cidr[];
  readonly #uplinkMtuBytes: number;
  #nextChecked = 0;
  /** How many of those that an earlier agent attached nobody has looked into since. */
  #unseen: number;
  /** Pods came or went since the last look: changes that the kernel reports are likely these. */
  #hasMoved = false;
  /** The last resync did not come to its end, and its changes have been taken note of already. */
  #hasFailed = false;

  constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#uplinkMtuBytes = options.mtuBytes ?? usualMtuBytes;
    this.#netnsDir = clusterPaths(options.config).netns;
    this.#podCidrs = networkOf(options.node).podCidrs;
    this.#store = new AttachmentStore(options.stateDir, (file, error) => {
      this.#log.warn("dropped a damaged address record", { file, error });
      removeNetworkNamespace(this.#pathOf(basename(file, ".json")));
    });
    for (const { uid } of this.#store.list()) if (!isNetworkNamespace(this.#pathOf(uid))) this.#forget(uid);
    this.#unseen = this.#store.list().length;
    this.#network = new NamespaceNetwork(options.nodeNamespace, "podNetwork", {
      hasNeighbours: options.config.network === "vxlan",
    });
  }

  attach(pod: Pick<AttachedPod, "namespace" | "name" | "uid">): AttachedPod {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(pod.uid)) {
      throw new RangeError(`Cannot attach pod "${pod.namespace}/${pod.name}": its uid "${pod.uid}" is no plain name`);
    }
    this.#hasMoved = true;
    this.#removeLeftover(pod.uid);
    const attachment: Attachment = {
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      addresses: this.#allocate(),
    };
    // First the record: after a crash from here on, `list` names the pod and `detach` cleans up.
    this.#store.put(attachment);
    try {
      this.#build(attachment);
    } catch (error) {
      this.detach(pod.uid);
      throw error;
    }
    return this.#describe(attachment);
  }

  detach(uid: string): void {
    this.#hasMoved = true;
    const attachment = this.#store.get(uid);
    if (attachment !== undefined) {
      // The link goes with the namespace, in the background and much faster than by hand; until then no packet may
      // find its way to an address that is given back.
      this.#network.apply(this.#plan(attachment).node.routes.map((route) => ({ type: "delete-route", route })));
    }
    this.#forget(uid);
  }

  list(): readonly AttachedPod[] {
    return this.#store.list().map((attachment) => this.#describe(attachment));
  }

  check(uid: string): readonly string[] {
    const attachment = this.#store.get(uid);
    if (attachment === undefined) return [`the pod ${uid} has no network`];
    if (!isNetworkNamespace(this.#pathOf(uid))) return [`the network namespace "${this.#pathOf(uid)}" is missing`];
    const plan = this.#plan(attachment);
    const ofNode = diffNetwork(plan.node, this.#network.read(plan.node));
    const ofPod = this.#inPod(uid, (network) => diffNetwork(plan.pod, network.read(plan.pod)));
    return [
      // The routes of other pods are no part of this plan.
      ...ofNode.operations.filter(({ type }) => type !== "delete-route").map(operationText),
      ...ofPod.missingLinks.map((link) => `link ${link} is missing in the pod`),
      ...ofPod.operations.map(operationText),
    ];
  }

  /** Puts back what was taken away, where the kernel reported a change or a full look is due. With a log, says so. */
  resync({ isFull, isPodsTurn, log }: Resync): void {
    const hasChanged = this.#network.hasChanged() || isFull || this.#hasFailed;
    this.#hasFailed = true;
    const attachments = this.#store.list();
    // A node whose pods come and go all the time must not look into 25 of them each second.
    const isForeign = hasChanged && !isFull && !this.#hasMoved;
    this.#hasMoved = false;
    // A start looks at the node and what may be half done: what waits for it must not wait for each pod.
    const isStart = log === undefined;
    const isCatchingUp = this.#unseen > 0;
    const quiet = isPodsTurn && !isStart ? podsPerTick[isCatchingUp ? "untilAllSeen" : "quiet"] : 0;
    const inTurn = this.#nextInTurn(attachments, isForeign ? podsPerTick.changed : quiet);
    this.#unseen -= inTurn.length;
    const madeAnew = hasChanged ? this.#resyncNode(attachments.filter(this.#exists), log) : new Set();
    const affected = attachments.filter(({ uid }) => madeAnew.size > 0 && madeAnew.has(podLinkName(uid)));
    const unfinished = isStart ? this.#store.maybeUnfinished() : [];
    for (const attachment of new Set([...affected, ...unfinished, ...inTurn])) {
      if (this.#exists(attachment)) this.#resyncPod(attachment, isCatchingUp ? undefined : log);
    }
    this.#hasFailed = false;
  }

  close(): void {
    this.#network.close();
  }

  /** Returns the names of the links that had to be made anew: their other ends need looking after, too. */
  #resyncNode(attachments: readonly Attachment[], log: Logger | undefined): ReadonlySet<string> {
    const { config, node } = this.#options;
    const nodes = this.#options.nodes?.current ?? config.nodes;
    const nodePlan = planNodeNetwork({
      node: networkOf(node),
      nodes: nodes.map(networkOf),
      uplink,
      network: config.network,
      mtuBytes: this.#uplinkMtuBytes,
    });
    const plan = mergePlans([nodePlan, ...attachments.map((attachment) => this.#plan(attachment).node)]);
    const { operations } = this.#reconcileNode(plan);
    this.#tell(operations, { log, message: "put back what was missing in the pod network" });
    return new Set(operations.flatMap(nameOfMadeLink));
  }

  #reconcileNode(plan: NetworkPlan): NetworkDifference {
    try {
      return this.#network.reconcile(plan, isPodLinkName);
    } catch (error) {
      // What the kernel answers for a kind of link it does not know, once it has looked for a module in vain.
      if (!(error instanceof NetlinkError && error.code === "ENOTSUP")) throw error;
      throw new Error(
        `Cannot make the pod network "${this.#options.config.network}": ${error.message}; run "sudo modprobe vxlan" once, or make the cluster with --network host-gw`,
        { cause: error },
      );
    }
  }

  #resyncPod(attachment: Attachment, log: Logger | undefined): void {
    const { operations } = this.#inPod(attachment.uid, (network) => network.reconcile(this.#plan(attachment).pod));
    const pod = `${attachment.namespace}/${attachment.name}`;
    this.#tell(operations, { log, message: "put back what was missing in a pod's network", pod });
  }

  #tell(
    operations: readonly NetworkOperation[],
    { log, message, pod }: { readonly log: Logger | undefined; readonly message: string; readonly pod?: string },
  ): void {
    // The link of a pod that has just ended may still be there: nobody put it there by hand.
    const told = operations.filter(({ type }) => type !== "delete-link").map(operationText);
    if (log === undefined || told.length === 0) return;
    log.warn(message, { operations: told, ...(pod === undefined ? {} : { pod }) });
    this.#options.onRepair?.(pod === undefined ? told : told.map((text) => `${text} in pod ${pod}`));
  }

  readonly #exists = ({ uid }: Attachment): boolean => isNetworkNamespace(this.#pathOf(uid));

  /** First the namespace: as long as there is one, the record tells of it. */
  #forget(uid: string): void {
    removeNetworkNamespace(this.#pathOf(uid));
    this.#store.delete(uid);
  }

  #nextInTurn(attachments: readonly Attachment[], count: number): readonly Attachment[] {
    if (this.#nextChecked >= attachments.length) this.#nextChecked = 0;
    const turn = attachments.slice(this.#nextChecked, this.#nextChecked + count);
    this.#nextChecked += count;
    return turn;
  }

  #build(attachment: Attachment): void {
    createNetworkNamespace(this.#pathOf(attachment.uid)).close();
    const plan = this.#plan(attachment);
    this.#network.apply(diffNetwork(plan.node, emptyState).operations);
    this.#inPod(attachment.uid, (network) => network.reconcile(plan.pod));
  }

  #removeLeftover(uid: string): void {
    const link = podLinkName(uid);
    if (this.#store.get(uid) === undefined && !isNetworkNamespace(this.#pathOf(uid)) && !this.#network.hasLink(link))
      return;
    this.detach(uid);
    // The kernel may still be removing it with its namespace, and the new link has the same name.
    if (this.#network.hasLink(link)) this.#network.apply([{ type: "delete-link", name: link }]);
  }

  #allocate(): readonly IpAddress[] {
    const used = this.#store.usedAddresses();
    const last = this.#store.lastAddresses();
    return this.#podCidrs.map((podCidr) =>
      allocateAddress({ podCidr, used, last: last.find((address) => ipFamily(address) === ipFamily(podCidr)) }),
    );
  }

  #plan(attachment: Attachment) {
    const { config, node } = this.#options;
    const isWrapped = config.network === "vxlan";
    const mtuBytes = isWrapped ? vxlanMtu(networkOf(node), this.#uplinkMtuBytes) : this.#uplinkMtuBytes;
    const netnsPath = this.#pathOf(attachment.uid);
    return planPodNetwork({ ...attachment, netnsPath, mtuBytes });
  }

  #inPod<T>(uid: string, work: (network: NamespaceNetwork) => T): T {
    const namespace = openNetworkNamespace(this.#pathOf(uid));
    try {
      const network = new NamespaceNetwork(namespace, "podNetwork");
      try {
        return work(network);
      } finally {
        network.close();
      }
    } finally {
      namespace.close();
    }
  }

  #pathOf(uid: string): string {
    return `${this.#netnsDir}/pod-${uid}`;
  }

  #describe({ namespace, name, uid, addresses }: Attachment): AttachedPod {
    return { namespace, name, uid, netnsPath: this.#pathOf(uid), ips: addresses };
  }
}

function networkOf(node: NodeConfig): NodeNetwork {
  return {
    name: node.name,
    addresses: node.addresses.map((address) => parseIpAddress(address)),
    podCidrs: node.podCidrs.map((cidr) => parseCidr(cidr)),
  };
}

function nameOfMadeLink(operation: NetworkOperation): readonly string[] {
  return operation.type === "create-link" ? [operation.link.name] : [];
}
