/** The informers of one component or process, started and awaited together. */
import type { KubernetesObject } from "../../api/object.ts";
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";
import type { Logger } from "../log.ts";
import { createInformer } from "./informer.ts";
import type { Informer, InformerOptions } from "./informer.ts";
import type { ListWatch } from "./list-watch.ts";

export interface Informers extends Component {
  /** Makes an informer that `run` starts with the others. All must be made before `run`. */
  create<T extends KubernetesObject, Index extends string = never>(
    options: Omit<InformerOptions<T, Index>, "source" | "clock" | "log">,
  ): Informer<T, Index>;
}

export function createInformers(shared: {
  readonly source: ListWatch;
  readonly clock: Clock;
  readonly log: Logger;
}): Informers {
  const all: Component[] = [];
  const settled = Promise.withResolvers<void>();
  settled.promise.catch(() => undefined);
  return {
    name: "informers",
    ready: settled.promise,
    create: (options) => {
      const informer = createInformer({ ...options, ...shared });
      all.push(informer);
      return informer;
    },
    run: async (signal) => {
      Promise.all(all.map((informer) => informer.ready)).then(() => settled.resolve(), settled.reject);
      await Promise.all(all.map((informer) => informer.run(signal)));
    },
  };
}
