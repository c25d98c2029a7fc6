/** Events about the network state of a node that somebody had changed by hand and that was put back. */
import type { ApiClient } from "../client/index.ts";
import type { Clock } from "../machinery/clock.ts";
import type { Component } from "../machinery/component.ts";
import { createEventRecorder } from "../machinery/events/index.ts";
import type { Logger } from "../machinery/log.ts";

/** What was not as planned in a network namespace, and is again. */
export interface NetworkRepair {
  /** The node it is told about. */
  readonly node: string;
  /** "service-proxy", "pod-network", "lab-network". */
  readonly component: string;
  /** "route 10.244.2.0/24", or "table inet netloom". */
  readonly what: readonly string[];
}

/** An event is for people: of a hundred rules the first few tell what happened. */
const mostNamed = 5;

export function createRepairEvents(options: {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
}): Component & { readonly note: (repair: NetworkRepair) => void } {
  const recorder = createEventRecorder({ ...options, component: "netloom" });
  return {
    name: recorder.name,
    ready: recorder.ready,
    run: async (signal) => await recorder.run(signal),
    note: ({ node, component, what }) => {
      const named = what.slice(0, mostNamed).join(", ");
      const more = what.length > mostNamed ? ` and ${what.length - mostNamed} more` : "";
      // As the kubelet does: `kubectl describe node` looks for the name as uid.
      recorder.event(
        { kind: "Node", name: node, uid: node, apiVersion: "v1" },
        {
          type: "Warning",
          reason: "NetworkRepaired",
          message: `Put back what was changed by hand (${component}): ${named}${more}`,
        },
      );
    },
  };
}
