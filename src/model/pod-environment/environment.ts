/** The variables a container is started with, on top of its image's. */
import { own } from "../../lib/own/index.ts";
import type {
  ConfigMap,
  Container,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  Secret,
  Service,
} from "../../api/generated/types.ts";
import { EnvironmentError } from "./errors.ts";
import { expandVariables } from "./expand.ts";
import { fieldText, resourceText } from "./fields.ts";
import type { FieldContext } from "./fields.ts";
import { serviceVariables } from "./service-variables.ts";

export interface EnvironmentContext extends FieldContext {
  /** Of the pod's namespace, with `kubernetes` of the namespace default. */
  readonly services: readonly Service[];
  /** Those of the pod's namespace that `referencedObjects` names; a missing one is absent. */
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
}

/** The names of the ConfigMaps and Secrets the container's environment is made from. */
export function referencedObjects(container: Container | EphemeralContainer): {
  readonly configMaps: ReadonlySet<string>;
  readonly secrets: ReadonlySet<string>;
} {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name !== undefined) configMaps.add(configMapRef.name);
    if (secretRef?.name !== undefined) secrets.add(secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name !== undefined) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name !== undefined) secrets.add(valueFrom.secretKeyRef.name);
  }
  return { configMaps, secrets };
}

/**
 * `envFrom`, then `env` with `$(NAME)` replaced, then the Services' variables where the name is still free. Throws
 * `EnvironmentError` where a ConfigMap, a Secret or a key of them is missing and not optional.
 */
export function containerEnvironment(
  container: Container | EphemeralContainer,
  context: EnvironmentContext,
): ReadonlyMap<string, string> {
  const ofServices = serviceVariables(visibleServices(context));
  const variables = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of envFromEntries(source, context)) variables.set(`${source.prefix ?? ""}${key}`, value);
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, context, (name) => variables.get(name) ?? ofServices.get(name));
    if (value !== undefined) variables.set(variable.name, value);
  }
  for (const [name, value] of ofServices) {
    if (!variables.has(name)) variables.set(name, value);
  }
  return variables;
}

/** `kubernetes` is visible everywhere; the namespace's own Services unless `enableServiceLinks` is false. */
function visibleServices({ services, pod }: EnvironmentContext): readonly Service[] {
  const { namespace } = pod.metadata ?? {};
  const hasLinks = pod.spec?.enableServiceLinks !== false;
  return services.filter(({ metadata }) => {
    if (metadata?.namespace === "default" && metadata.name === "kubernetes") return true;
    return hasLinks && metadata?.namespace === namespace;
  });
}

function envFromEntries(source: EnvFromSource, context: EnvironmentContext): readonly (readonly [string, string])[] {
  const { configMapRef, secretRef } = source;
  if (configMapRef !== undefined) {
    const configMap = context.configMaps.get(configMapRef.name ?? "");
    if (configMap === undefined && configMapRef.optional !== true) throw missing("configmap", configMapRef.name);
    return Object.entries(configMap?.data ?? {});
  }
  if (secretRef !== undefined) {
    const secret = context.secrets.get(secretRef.name ?? "");
    if (secret === undefined && secretRef.optional !== true) throw missing("secret", secretRef.name);
    return Object.entries(secret?.data ?? {}).map(([key, value]) => [key, decodeSecret(value)] as const);
  }
  return [];
}

function valueOf(
  { value, valueFrom }: EnvVar,
  container: Container | EphemeralContainer,
  context: EnvironmentContext,
  lookUp: (name: string) => string | undefined,
): string | undefined {
  if (valueFrom === undefined) return expandVariables(value ?? "", lookUp);
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const { namespace } = context.pod.metadata ?? {};
  if (fieldRef !== undefined) return fieldText(fieldRef.fieldPath, context);
  if (resourceFieldRef !== undefined) {
    const { containers = [], initContainers = [] } = context.pod.spec ?? {};
    const named = [...containers, ...initContainers].find(({ name }) => name === resourceFieldRef.containerName);
    return resourceText(resourceFieldRef, named ?? container, context);
  }
  if (configMapKeyRef !== undefined) {
    const { name = "", key, optional } = configMapKeyRef;
    const configMap = context.configMaps.get(name);
    const found = own(configMap?.data, key);
    if (found !== undefined || optional === true) return found;
    if (configMap === undefined) throw missing("configmap", name);
    throw new EnvironmentError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
  }
  if (secretKeyRef !== undefined) {
    const { name = "", key, optional } = secretKeyRef;
    const secret = context.secrets.get(name);
    const found = own(secret?.data, key);
    if (found !== undefined) return decodeSecret(found);
    if (optional === true) return undefined;
    if (secret === undefined) throw missing("secret", name);
    throw new EnvironmentError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
  }
  return "";
}

function decodeSecret(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

function missing(kind: "configmap" | "secret", name: string | undefined): EnvironmentError {
  return new EnvironmentError(`${kind} "${name ?? ""}" not found`);
}
