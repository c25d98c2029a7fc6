/** Which services changed since the last look, with all that belongs to each. */
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import type { Change, Informer } from "../../machinery/informer/index.ts";
import type { ServiceObjects } from "../../model/services/index.ts";

export interface PendingServices {
  /** Notes changes until the function it returns is called; first everything that is there. */
  subscribe(): () => void;
  /** What changed since the last call, once per service. */
  take(): readonly ServiceObjects[];
  /** Resolves when there is something to do, at once where there is already. */
  next(): Promise<void>;
  wake(): void;
  /** Notes all services that have slices. */
  noteAll(): void;
}

export function watchServices(options: {
  readonly services: Informer<Service>;
  readonly endpointSlices: Informer<EndpointSlice>;
}): PendingServices {
  const slicesOf = new Map<string, Map<string, EndpointSlice>>();
  const changed = new Set<string>();
  let woken = Promise.withResolvers<void>();
  const note = (key: string): void => {
    changed.add(key);
    woken.resolve();
  };
  const noteSlice = ({ key, previous, current }: Change<EndpointSlice>): void => {
    const before = serviceOf(previous);
    const after = serviceOf(current);
    if (before !== undefined && before !== after) {
      slicesOf.get(before)?.delete(key);
      note(before);
    }
    if (after === undefined || current === undefined) return;
    const slices = slicesOf.get(after) ?? new Map<string, EndpointSlice>();
    slicesOf.set(after, slices.set(key, current));
    note(after);
  };
  return {
    subscribe: () => {
      slicesOf.clear();
      const ends = [options.services.onChange(({ key }) => note(key)), options.endpointSlices.onChange(noteSlice)];
      return () => ends.forEach((end) => end());
    },
    take: () => {
      const objects = [...changed].map((key): ServiceObjects => {
        const slices = slicesOf.get(key);
        if (slices?.size === 0) slicesOf.delete(key);
        return { key, service: options.services.store.get(key), slices: [...(slices?.values() ?? [])] };
      });
      changed.clear();
      woken = Promise.withResolvers<void>();
      return objects;
    },
    next: () => woken.promise,
    wake: () => woken.resolve(),
    noteAll: () => {
      for (const key of slicesOf.keys()) note(key);
    },
  };
}

/** `namespace/name` of the service a slice belongs to. */
function serviceOf(slice: EndpointSlice | undefined): string | undefined {
  const name = slice?.metadata?.labels?.["kubernetes.io/service-name"];
  return name === undefined ? undefined : `${slice?.metadata?.namespace ?? ""}/${name}`;
}
