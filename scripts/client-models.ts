/** Reads the models of the official JavaScript client: what they hold, which of it is required, what it is for. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), "..");
const generatedClient = join(projectRoot, "node_modules/@kubernetes/client-node/dist/gen");
const models = join(generatedClient, "models");

export interface Attribute {
  readonly name: string;
  /** The name on the wire. */
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

export interface Model {
  readonly attributes: readonly Attribute[];
  /** Attribute names that every object must have. */
  readonly required: ReadonlySet<string>;
  /** By wire name; "" is the model's own. */
  readonly descriptions: ReadonlyMap<string, string>;
}

const files = new Set(
  readdirSync(models)
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => file.slice(0, -5)),
);

/** `Array<V1Foo>` and `{ [key: string]: V1Foo; }` -> `V1Foo`; a scalar -> undefined. */
export function referredClass(type: string): string | undefined {
  const inner = type.match(/^Array<(.*)>$/)?.[1] ?? type.match(/^\{ \[key: string\]: (.*); \}$/)?.[1];
  if (inner !== undefined) return referredClass(inner);
  return files.has(type) ? type : undefined;
}

/** The class and all that it refers to, in no particular order. */
export async function readClosure(roots: readonly string[]): Promise<ReadonlyMap<string, Model>> {
  const found = new Map<string, Model>();
  async function visit(name: string): Promise<void> {
    if (found.has(name)) return;
    const model = await readModel(name);
    found.set(name, model);
    for (const { type } of model.attributes) {
      const next = referredClass(type);
      if (next !== undefined) await visit(next);
    }
  }
  for (const name of roots) await visit(name);
  return found;
}

async function readModel(name: string): Promise<Model> {
  const module = (await import(join(models, `${name}.js`))) as Record<string, { attributeTypeMap: Attribute[] }>;
  const attributes = module[name]?.attributeTypeMap;
  if (!attributes) throw new Error(`Cannot read the model ${name}: it has no attribute map`);
  const text = readFileSync(join(models, `${name}.d.ts`), "utf8");
  const required = new Set([...text.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1] ?? ""));
  const descriptions = new Map<string, string>();
  for (const [, comment = "", field = ""] of text.matchAll(
    /\/\*\*\n\s*\* (.*)\n\s*\*\/\n(?:export declare class|\s*'([^']+)'\??:)/g,
  )) {
    const wireName = attributes.find((attribute) => attribute.name === field)?.baseName ?? field;
    descriptions.set(wireName, comment.replace(/\\(['"])/g, "$1"));
  }
  return { attributes, required, descriptions };
}

/** The classes that one API of the client speaks of: `CoreV1` -> `V1Pod`, `V1PodList`, … */
export function classesOfApi(api: string): readonly string[] {
  const text = readFileSync(join(generatedClient, "apis", `${api}Api.d.ts`), "utf8");
  return [...text.matchAll(/from '\.\.\/models\/(\w+)\.js'/g)].map((match) => match[1] ?? "");
}

/** `V1Pod` -> `Pod`, `CoreV1Event` -> `CoreV1Event`: the name of its TypeScript type. */
export function typeNameOf(className: string): string {
  return /^V1[A-Z]/.test(className) ? className.slice(2) : className;
}

/** `V1Pod` -> `Pod`, `CoreV1Event` -> `Event`, `V2MetricSpec` -> `MetricSpec`: the name within its group version. */
export function kindNameOf(className: string): string {
  return className.replace(/^(?:[A-Z][a-z]+)?V\d+(?=[A-Z])/, "");
}

/** Model classes at which the walk starts: the kinds netloom serves; what they refer to follows. */
export const roots: readonly string[] = [
  "Pod",
  "PodTemplate",
  "Service",
  "Endpoints",
  "Node",
  "Namespace",
  "Secret",
  "ConfigMap",
  "ServiceAccount",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "ReplicationController",
  "LimitRange",
  "ResourceQuota",
  "Binding",
  "Deployment",
  "ReplicaSet",
  "StatefulSet",
  "DaemonSet",
  "ControllerRevision",
  "Job",
  "CronJob",
  "Scale",
  "HorizontalPodAutoscaler",
  "PodDisruptionBudget",
  "EndpointSlice",
  "Ingress",
  "IngressClass",
  "NetworkPolicy",
  "ServiceCIDR",
  "IPAddress",
  "Lease",
  "Role",
  "RoleBinding",
  "ClusterRole",
  "ClusterRoleBinding",
  "TokenReview",
  "SelfSubjectReview",
  "SubjectAccessReview",
  "SelfSubjectAccessReview",
  "LocalSubjectAccessReview",
  "SelfSubjectRulesReview",
  "PriorityClass",
  "StorageClass",
  "CSIDriver",
  "CSINode",
  "VolumeAttachment",
  "CSIStorageCapacity",
  "VolumeAttributesClass",
  "RuntimeClass",
  "FlowSchema",
  "PriorityLevelConfiguration",
  "CertificateSigningRequest",
  "Eviction",
  "Status",
  "DeleteOptions",
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
  "APIVersions",
]
  .map((name) => `V1${name}`)
  .concat("AuthenticationV1TokenRequest", "V2HorizontalPodAutoscaler", "CoreV1Event", "EventsV1Event");
