/** Tells users what happened to an object, as Events: `kubectl describe` and `kubectl get events` show them. */
import { keyText } from "../../api/object.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { CoreV1Event, ObjectReference } from "../../api/generated/types.ts";
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";
import type { Logger } from "../log.ts";
import { EventCorrelator } from "./correlator.ts";
import type { Correlated } from "./correlator.ts";

/** The part of an API client a recorder needs. */
export interface EventWriter {
  create<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T>;
  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: { readonly type: "merge"; readonly body: unknown },
  ): Promise<T>;
}

interface EventText {
  readonly type: "Normal" | "Warning";
  /** One word in camel case: "ScalingReplicaSet". */
  readonly reason: string;
  readonly message: string;
}

export interface EventRecorder extends Component {
  /** Notes an event and returns at once; `run` writes it. */
  event(about: ObjectReference, text: EventText): void;
}

export interface EventRecorderOptions {
  readonly client: EventWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** "deployment-controller", "default-scheduler", "kubelet". */
  readonly component: string;
  /** The node, where the component runs on one. */
  readonly host?: string;
}

/** Noted and not yet written; beyond it new ones are dropped, as upstream does. */
const maxWaiting = 1000;
const maxTries = 12;
const retryMs = 1000;

/** The reference by which an event names its object. `fieldPath` names a part: `spec.containers{web}`. */
export function referenceTo<T extends KubernetesObject>(
  resource: Resource<T>,
  object: KubernetesObject,
  fieldPath?: string,
): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  return {
    kind: resource.kind,
    apiVersion: resource.group === "" ? resource.version : `${resource.group}/${resource.version}`,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new QueueingRecorder(options);
}

class QueueingRecorder implements EventRecorder {
  readonly name: string;
  readonly ready = Promise.resolve();
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #waiting: CoreV1Event[] = [];
  #wake: (() => void) | undefined;
  #serial = 0n;
  /** Since the queue was last empty. */
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
    this.name = `events of ${options.component}`;
  }

  event(about: ObjectReference, { type, reason, message }: EventText): void {
    const { clock, component, host, log } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      // One line when it begins and one when it is over: they come by the hundred.
      if (this.#dropped === 0)
        log.warn("cannot keep up with events, some are dropped", { reason, object: nameOf(about) });
      this.#dropped += 1;
      return;
    }
    const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    // Upstream's names: the object's, and the time in nanoseconds; the serial keeps those of one millisecond apart.
    this.#serial += 1n;
    const suffix = (BigInt(Math.trunc(clock.now())) * 1_000_000n + (this.#serial % 1_000_000n)).toString(16);
    this.#waiting.push({
      metadata: { name: `${about.name ?? "unnamed"}.${suffix}`, namespace: about.namespace ?? "default" },
      involvedObject: about,
      reason,
      message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type,
      reportingComponent: component,
      reportingInstance: host ?? "",
    });
    this.#wake?.();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
    for (;;) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        await this.#record(event, signal);
        continue;
      }
      if (this.#dropped > 0) this.#options.log.warn("keeps up with events again", { dropped: this.#dropped });
      this.#dropped = 0;
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  async #record(event: CoreV1Event, signal: AbortSignal): Promise<void> {
    const correlated = this.#correlator.correlate(event);
    if (correlated === undefined) return;
    const { clock, log } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        const written = await this.#write(correlated);
        this.#correlator.written(correlated, written);
        return;
      } catch (error) {
        // An answer from the server is final (a namespace that ends, a quota); only a lost connection is worth waiting.
        if (isAnswer(error) || tries === maxTries || signal.aborted) {
          const { reason, message, involvedObject } = event;
          log.debug("cannot write an event", { reason, text: message, object: nameOf(involvedObject), error });
          return;
        }
        await pause(clock, signal);
      }
    }
  }

  async #write({ event, known }: Correlated): Promise<CoreV1Event> {
    const { client } = this.#options;
    if (known === undefined) return client.create(resources.events, event);
    const { count, lastTimestamp, message } = event;
    const key: ObjectKey = { namespace: known.namespace, name: known.name };
    try {
      return await client.patch(resources.events, key, { type: "merge", body: { count, lastTimestamp, message } });
    } catch (error) {
      // The server has let it expire since.
      if (codeOf(error) !== 404) throw error;
      return client.create(resources.events, event);
    }
  }
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(retryMs, signal);
  } catch {
    // Stopped: the next try is the last.
  }
}

function nameOf({ namespace, name = "" }: ObjectReference): string {
  return keyText(namespace === undefined ? { name } : { namespace, name });
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/** An `ApiError`, recognised by its HTTP status; the class lives above this room. */
function isAnswer(error: unknown): boolean {
  return typeof codeOf(error) === "number";
}
