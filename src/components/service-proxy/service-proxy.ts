/** Keeps the rules of one node in step with services and endpoint slices. */
import { setImmediate } from "node:timers/promises";
import type { EndpointSlice, Node, Service, ServiceCIDR } from "../../api/generated/types.ts";
import type { Conntrack } from "../../kernel/conntrack/index.ts";
import type { Nftables, SyncReport } from "../../kernel/nftables/index.ts";
import type { NetworkNamespace } from "../../kernel/network-namespace.ts";
import { SysctlError, writeSysctl } from "../../kernel/sysctl/index.ts";
import { backoffDelayMs, type Backoff } from "../../machinery/backoff.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { Turns } from "../../machinery/turns.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import { emptyTransaction } from "../../model/rules/index.ts";
import {
  createServicePlan,
  freeUnusedIds,
  ruleSetOf,
  staleHits,
  updateServicePlan,
  type Backend,
  type HostPort,
  type KnownIds,
  type NodeNetwork,
  type ServicePlan,
} from "../../model/services/index.ts";
import type { Cidr } from "../../lib/ip/index.ts";
import { rangesOf } from "../../model/service-cidrs/index.ts";
import { createHealthChecks, type HealthChecks } from "./health-checks.ts";
import { createProxyMetrics, type ProxyMetrics } from "./metrics.ts";
import { createUdpFlows, type UdpFlows } from "./udp-flows.ts";
import { udpFrontendsIn, type UdpFrontend } from "./udp-frontends.ts";
import { watchServices, type PendingServices } from "./pending-services.ts";

export interface ServiceProxyOptions {
  readonly node: NodeNetwork;
  readonly namespace: NetworkNamespace;
  /** The rules of `namespace`; closed by whoever opened them. */
  readonly rules: Nftables;
  /** How to look at the connections of `namespace`; tests give a fake. */
  readonly openConntrack?: (options: { readonly namespace: NetworkNamespace }) => Conntrack;
  /** How a setting of the namespace this thread is in is written; tests give a fake. */
  readonly setSysctl?: (key: string, value: string) => void;
  /** Of all namespaces. Whoever made them runs them; several nodes may share them. */
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
  /** Ranges beyond those of `node` of which Services have addresses. */
  readonly serviceCidrs?: Informer<ServiceCIDR>;
  /** Tells the node's zone. Without it hints for zones do not count. */
  readonly nodes?: Informer<Node>;
  /** Taken before the first rules: proxies of a process, each some milliseconds, must not stop everything else together. */
  readonly turns?: Turns;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: MetricsRegistry;
  /** Called with what somebody else had changed and the proxy put back. */
  onRepair?(what: readonly string[]): void;
}

export interface ServiceProxy extends Component {
  /** All ports of the node that lead to its pods; takes effect with the next transaction. */
  setHostPorts(hostPorts: readonly HostPort[]): void;
  /** Removes the proxy's table: for when it is switched off. While it merely restarts its rules stay in force. */
  cleanUp(): void;
}

/** How often the proxy asks whether somebody else changed the rules of the namespace: costs 20 µs where nobody did. */
const driftCheckMs = 2000;
/** After so many deleted services their counters are looked for: reading the set costs more than a few of them hold. */
const mostStaleHits = 128;
const retry: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.2 };

/** Starts nothing: `run` does. */
export function createServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  return new RulesProxy(options);
}

class RulesProxy implements ServiceProxy {
  readonly name = "service-proxy";
  readonly ready: Promise<void>;
  readonly #options: ServiceProxyOptions;
  readonly #metrics: ProxyMetrics;
  readonly #settled = Promise.withResolvers<void>();
  readonly #pending: PendingServices;
  readonly #healthChecks: HealthChecks;
  readonly #flows: UdpFlows;
  #plan: ServicePlan;
  #hostPorts: readonly HostPort[] | undefined;
  #haveRangesChanged = false;
  #zone: { readonly name: string | undefined } | undefined;
  /** Not cut yet: that waits for the rules, which may fail. */
  readonly #departed: Backend[] = [];
  readonly #arrived: UdpFrontend[] = [];
  /** Services deleted since the counters were last looked through. */
  #deleted = 0;
  /** The kernel may hold something else than the plan says: put everything in place anew. */
  #isFullSyncDue = true;
  #hasSynced = false;

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
    this.#metrics = createProxyMetrics(options.metrics, options.node.name);
    this.#plan = createServicePlan(options.node);
    this.#pending = watchServices(options);
    this.#flows = createUdpFlows(options);
    this.#healthChecks = createHealthChecks({ ...options, addresses: options.node.addresses });
    this.ready = this.#settled.promise;
    this.ready.catch(() => undefined);
  }

  setHostPorts(hostPorts: readonly HostPort[]): void {
    this.#hostPorts = hostPorts;
    this.#pending.wake();
  }

  cleanUp(): void {
    this.#options.rules.remove(ruleSetOf(this.#plan));
    this.#isFullSyncDue = true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { services, endpointSlices, namespace, log, clock } = this.#options;
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    // Not raced in each turn: the promise would remember every turn there ever was.
    void stopped.then(() => this.#pending.wake());
    // Again from the beginning: what was deleted while nobody looked sends no event. Ids keep their meaning.
    this.#plan = createServicePlan(this.#options.node, { knownIds: this.#knownIds() });
    this.#isFullSyncDue = true;
    const unsubscribe = this.#pending.subscribe();
    const unsubscribeZone = this.#followZone();
    const unsubscribeRanges = this.#followRanges();
    try {
      const { nodes, serviceCidrs } = this.#options;
      const ready = Promise.all([services.ready, endpointSlices.ready, nodes?.ready, serviceCidrs?.ready]);
      await Promise.race([ready, stopped]);
      await this.#options.turns?.();
      if (!signal.aborted) namespace.run(() => this.#setSysctls());
      for (let failures = 0; !signal.aborted;) {
        try {
          this.#sync();
          failures = 0;
          this.#settled.resolve();
        } catch (error) {
          this.#isFullSyncDue = true;
          this.#metrics.failures.inc();
          log.error("cannot change the rules of the node, trying again", {
            node: this.#options.node.name,
            failures,
            error,
          });
          await clock
            .sleep(
              backoffDelayMs(retry, failures, () => 0.5),
              signal,
            )
            .catch(() => undefined);
          failures += 1;
          continue;
        }
        await this.#waitForWork(signal);
        // What comes with the same packet from the API server goes into the same transaction.
        await setImmediate();
      }
    } finally {
      unsubscribe();
      unsubscribeZone();
      unsubscribeRanges();
      this.#healthChecks.close();
      this.#flows.close();
      this.#settled.reject(new Error("Cannot wait for the service proxy: it was stopped before its first rules"));
    }
  }

  #followZone(): () => void {
    const { nodes, node } = this.#options;
    return (
      nodes?.onChange(({ key, current }) => {
        const name = current?.metadata?.labels?.["topology.kubernetes.io/zone"];
        if (key !== node.name || name === (this.#zone ?? { name: this.#plan.zone }).name) return;
        this.#zone = { name };
        this.#pending.noteAll();
        this.#pending.wake();
      }) ?? (() => undefined)
    );
  }

  #followRanges(): () => void {
    return (
      this.#options.serviceCidrs?.onChange(() => {
        this.#haveRangesChanged = true;
        this.#pending.wake();
      }) ?? (() => undefined)
    );
  }

  /** The cluster's own and those that ServiceCIDRs add, ready or not: their Services are there. */
  #serviceRanges(): readonly Cidr[] {
    const { node, serviceCidrs } = this.#options;
    return [...node.serviceCidrs, ...(serviceCidrs?.store.list() ?? []).flatMap(rangesOf)];
  }

  /** Until there is something to do; looks after hand-made changes meanwhile. */
  async #waitForWork(signal: AbortSignal): Promise<void> {
    const { clock, rules, log, node } = this.#options;
    const turn = new AbortController();
    const check = async (): Promise<void> => {
      while (!this.#isFullSyncDue) {
        await clock.sleep(driftCheckMs, AbortSignal.any([signal, turn.signal]));
        try {
          this.#isFullSyncDue = rules.hasForeignChange();
        } catch (error) {
          log.warn("cannot ask the kernel for changes of the rules", { node: node.name, error });
        }
      }
    };
    try {
      await Promise.race([this.#pending.next(), check().catch(() => undefined)]);
    } finally {
      turn.abort();
    }
  }

  /** What an earlier process numbered: the kernel keeps the names beside the numbers. */
  #knownIds(): KnownIds {
    const { rules } = this.#options;
    const ofPlan = [...this.#plan.portIds.numbers];
    if (ofPlan.length > 0) return ofPlan;
    return this.#plan.skeletons.flatMap(({ family, table, sets }) =>
      ["frontends", "nodeports"].flatMap((name) => {
        const declaration = sets.get(name);
        const elements = declaration === undefined ? [] : rules.readElements(family, table, declaration);
        return elements.flatMap(({ comment = "", data }) => {
          const id = data !== undefined && "values" in data ? data.values[0] : undefined;
          return typeof id === "number" && comment.startsWith("Service ") ? [[comment.slice(8), id] as const] : [];
        });
      }),
    );
  }

  #sync(): void {
    const { rules, log, node, clock } = this.#options;
    const started = clock.now();
    const services = this.#pending.take();
    const hostPorts = this.#hostPorts;
    this.#hostPorts = undefined;
    const zone = this.#zone;
    this.#zone = undefined;
    const haveRangesChanged = this.#haveRangesChanged;
    this.#haveRangesChanged = false;
    const { transaction, departed, healthChecks } = updateServicePlan(this.#plan, {
      services,
      ...(zone === undefined ? {} : { zone }),
      ...(haveRangesChanged ? { serviceCidrs: this.#serviceRanges() } : {}),
      ...(hostPorts === undefined ? {} : { hostPorts }),
    });
    this.#departed.push(...departed.filter(({ protocol }) => protocol === "udp"));
    this.#arrived.push(...udpFrontendsIn(transaction));
    const isFull = this.#isFullSyncDue;
    if (isFull) this.#report(rules.sync(ruleSetOf(this.#plan)));
    else rules.apply(transaction);
    this.#isFullSyncDue = false;
    this.#flows.cut(this.#departed.splice(0));
    this.#flows.clear(this.#arrived.splice(0));
    this.#deleted += services.filter(({ service }) => service === undefined).length;
    if (isFull || this.#deleted >= mostStaleHits) this.#removeStaleHits();
    for (const [service, check] of healthChecks) this.#healthChecks.set(service, check);
    const durationMs = clock.now() - started;
    this.#metrics.synced({ isFull, durationMs, services: this.#plan.services.size, at: clock.now() });
    log.debug("rules are in step", { node: node.name, services: services.length, isFull, durationMs });
  }

  #removeStaleHits(): void {
    const { rules } = this.#options;
    const removedElements = staleHits(this.#plan, (...place) => rules.readElements(...place));
    if (removedElements.length > 0) rules.apply({ ...emptyTransaction, removedElements });
    if (this.#deleted >= mostStaleHits) freeUnusedIds(this.#plan);
    this.#deleted = 0;
  }

  /** Says what was not as the proxy left it. */
  #report(report: SyncReport): void {
    const { log, node } = this.#options;
    const { replacedTables, addedElements, removedElements, removedChains } = report;
    const isDrift = replacedTables.length + addedElements + removedElements + removedChains.length > 0;
    if (isDrift && this.#hasSynced) {
      this.#metrics.repairs.inc();
      log.warn("put back rules that somebody else had changed", { node: node.name, ...report });
      this.#options.onRepair?.(repairText(report));
    }
    this.#hasSynced = true;
  }

  #setSysctls(): void {
    // A refused UDP packet is answered by ICMP; by default the kernel sends one per second and destination.
    for (const [key, value] of [
      ["net/ipv4/icmp_ratelimit", "0"],
      ["net/ipv6/icmp/ratelimit", "0"],
    ] as const) {
      try {
        (this.#options.setSysctl ?? writeSysctl)(key, value);
      } catch (error) {
        if (!(error instanceof SysctlError)) throw error;
        this.#options.log.warn("cannot lift the limit of ICMP errors: refused UDP may time out", { key, error });
      }
    }
  }
}

function repairText({ replacedTables, addedElements, removedElements, removedChains }: SyncReport): readonly string[] {
  return [
    ...replacedTables.map((table) => `table ${table}`),
    ...(addedElements > 0 ? [`${addedElements} set elements that were missing`] : []),
    ...(removedElements > 0 ? [`${removedElements} set elements that were strange`] : []),
    ...removedChains.map((chain) => `chain ${chain} that was strange`),
  ];
}
