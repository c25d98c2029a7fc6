/** Keeps the listeners on the host in step with the Services' node ports. */
import type { Service } from "../../api/generated/types.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { NodeList } from "../../machinery/node-list.ts";
import { desiredPorts } from "./desired-ports.ts";
import { exposeAnnotation } from "./exposure.ts";
import { openRelay } from "./open-relay.ts";
import type { ClusterDialer, Relay } from "./relay.ts";

export interface PublishedPortsOptions {
  readonly nodes: NodeList;
  /** Of all namespaces; whoever made it runs it. */
  readonly services: Informer<Service>;
  readonly dialer: ClusterDialer;
  readonly log: Logger;
  readonly clock: Clock;
}

export function createPublishedPorts(options: PublishedPortsOptions): Component {
  const { services, log } = options;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "published-ports",
    ready: ready.promise,
    async run(signal) {
      const relays = new Map<string, Relay>();
      const work = createWakeup(signal);
      await services.ready;
      const unsubscribe = services.onChange(({ current, previous }) => {
        if ([current, previous].some(isPublished)) work.wake();
      });
      const unsubscribeNodes = options.nodes.onChange(() => work.wake());
      try {
        do {
          await synchronise(relays, options);
          ready.resolve();
        } while (await work.next());
      } finally {
        unsubscribe();
        unsubscribeNodes();
        for (const relay of relays.values()) relay.close();
        log.debug("published ports closed");
      }
    },
  };
}

const isPublished = (service: Service | undefined): boolean =>
  service?.metadata?.annotations?.[exposeAnnotation] !== undefined ||
  service?.spec?.ports?.some((port) => port.nodePort) === true;

async function synchronise(relays: Map<string, Relay>, options: PublishedPortsOptions): Promise<void> {
  const { nodes, services, dialer, clock, log } = options;
  const desired = desiredPorts(services.store.list(), nodes.current);
  for (const [key, relay] of relays) {
    if (desired.has(key)) continue;
    relay.close();
    relays.delete(key);
  }
  for (const [key, port] of desired) {
    if (relays.has(key)) continue;
    try {
      relays.set(key, await openRelay(port, { dialer, clock }));
    } catch (error) {
      log.warn("cannot publish a port on the host", { port: key, service: port.service, error });
    }
  }
}

/** Coalesces wake-ups: however many come while one round is at work, one round follows. */
function createWakeup(signal: AbortSignal): { wake(): void; next(): Promise<boolean> } {
  let isDue = false;
  let waiting: (() => void) | undefined;
  const wake = (): void => {
    isDue = true;
    waiting?.();
  };
  signal.addEventListener("abort", wake, { once: true });
  return {
    wake,
    next: async () => {
      if (!isDue && !signal.aborted) await new Promise<void>((resolve) => (waiting = resolve));
      isDue = false;
      return !signal.aborted;
    },
  };
}
