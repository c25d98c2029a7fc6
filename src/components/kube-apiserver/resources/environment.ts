/** What every resource of the server works with. */
import type { KubernetesObject } from "../../../api/object.ts";
import type { Registry, ResourceDefinition } from "../../../api/registry/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { Admission } from "../admission/admission.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { User } from "../user.ts";

export interface Environment {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "now">;
  readonly admission: Admission;
  /** Other versions of one stored kind, for those who wrote through them. */
  servedFrom: Registry["servedFrom"];
  strategyOf(definition: ResourceDefinition): Strategy;
}

/** What one request brings along. */
export interface RequestContext {
  readonly user: User;
  readonly isDryRun: boolean;
  /** Under which name the fields are recorded that the request changes. */
  readonly fieldManager: string;
  /** Sentences for `Warning` headers; admission and decoding add to it. */
  readonly warnings: string[];
  /** For the audit log; admission adds to it. */
  readonly annotations: Record<string, string>;
}

/** A write that is tried again says the same again: each sentence is told once. */
export function warn({ warnings }: RequestContext, sentences: readonly string[] = []): void {
  for (const sentence of sentences) if (!warnings.includes(sentence)) warnings.push(sentence);
}

/** An object with the two parts most kinds have. */
export interface AnyObject extends KubernetesObject {
  readonly spec?: unknown;
  readonly status?: unknown;
}
