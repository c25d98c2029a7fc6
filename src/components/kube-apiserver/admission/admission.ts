/** The gate before every write: plugins change and check objects in a fixed order. */
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import type { User } from "../user.ts";

export interface AdmissionRequest {
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly definition: ResourceDefinition;
  /** "" for the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Absent for DELETE. */
  readonly object: KubernetesObject | undefined;
  readonly old: KubernetesObject | undefined;
  readonly user: User;
  /** Nothing will be stored: nothing may be charged either. */
  readonly isDryRun: boolean;
  readonly warnings: string[];
  /** Of the request in the audit log, by their full names. */
  readonly annotations: Record<string, string>;
}

/** Each function throws `ApiError` to refuse. */
export interface AdmissionPlugin {
  /** Upstream's name: "NamespaceLifecycle". */
  readonly name: string;
  /** May wait for what the plugin needs; the object is not changed. */
  before?(request: AdmissionRequest, object: KubernetesObject): Promise<void> | void;
  /** Gives the object as it goes on, or the same one. */
  mutate?(request: AdmissionRequest, object: KubernetesObject): KubernetesObject;
  validate?(request: AdmissionRequest): void;
}

export interface Admission {
  before(request: AdmissionRequest, object: KubernetesObject): Promise<void>;
  mutate(request: AdmissionRequest, object: KubernetesObject): KubernetesObject;
  validate(request: AdmissionRequest): void;
}

export function createAdmission(plugins: readonly AdmissionPlugin[]): Admission {
  // Few plugins have a part in each step, and every write passes here.
  const waiting = plugins.filter((plugin) => "before" in plugin);
  const changing = plugins.filter((plugin) => "mutate" in plugin);
  const judging = plugins.filter((plugin) => "validate" in plugin);
  return {
    before: async (request, object) => {
      for (const plugin of waiting) await plugin.before?.(request, object);
    },
    mutate: (request, object) => changing.reduce((next, plugin) => plugin.mutate?.(request, next) ?? next, object),
    validate: (request) => {
      for (const plugin of judging) plugin.validate?.(request);
    },
  };
}
