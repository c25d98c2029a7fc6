/**
 * Derives `src/api/generated/` from the models of the official JavaScript client: the names, types and
 * obligations of every field of the built-in kinds, as TypeScript types in their wire form (timestamps are
 * strings, IntOrString is a number or a string) and as a table that validation and OpenAPI read.
 * Run with `npm run generate`; the result is committed, so that a clone needs no generation.
 */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const models = join(root, "node_modules/@kubernetes/client-node/dist/gen/models");
const output = join(root, "src/api/generated");

/** Model classes at which the walk starts: the kinds netloom serves; what they refer to follows. */
const roots = [
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
  "RuntimeClass",
  "CertificateSigningRequest",
  "Eviction",
  "Status",
  "DeleteOptions",
  "APIGroup",
  "APIGroupList",
  "APIResourceList",
  "APIVersions",
].map((name) => `V1${name}`);
roots.push("AuthenticationV1TokenRequest", "V2HorizontalPodAutoscaler", "CoreV1Event", "EventsV1Event");

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

const files = new Set(
  readdirSync(models)
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => file.slice(0, -5)),
);
const attributes = new Map<string, readonly Attribute[]>();
const required = new Map<string, ReadonlySet<string>>();

/** `Array<V1Foo>` and `{ [key: string]: V1Foo; }` -> `V1Foo`; a scalar -> undefined. */
function referredClass(type: string): string | undefined {
  const inner = type.match(/^Array<(.*)>$/)?.[1] ?? type.match(/^\{ \[key: string\]: (.*); \}$/)?.[1];
  if (inner !== undefined) return referredClass(inner);
  return files.has(type) ? type : undefined;
}

async function visit(name: string): Promise<void> {
  if (attributes.has(name)) return;
  const module = (await import(join(models, `${name}.js`))) as Record<string, { attributeTypeMap: Attribute[] }>;
  const list = module[name]?.attributeTypeMap;
  if (!list) throw new Error(`The model ${name} has no attribute map`);
  attributes.set(name, list);
  const text = readFileSync(join(models, `${name}.d.ts`), "utf8");
  required.set(name, new Set([...text.matchAll(/^ {4}'([^']+)': /gm)].map((match) => match[1] ?? "")));
  for (const attribute of list) {
    const next = referredClass(attribute.type);
    if (next !== undefined) await visit(next);
  }
}
for (const name of roots) await visit(name);

const taken = new Map<string, string>();
for (const name of [...attributes.keys()].toSorted()) {
  const short = name.startsWith("V1") && /^V1[A-Z]/.test(name) ? name.slice(2) : name;
  taken.set(name, short);
}

function typescriptType(type: string): string {
  const item = type.match(/^Array<(.*)>$/)?.[1];
  if (item !== undefined) return `readonly ${wrap(typescriptType(item))}[]`;
  const value = type.match(/^\{ \[key: string\]: (.*); \}$/)?.[1];
  if (value !== undefined) return `{ readonly [key: string]: ${typescriptType(value)} }`;
  if (taken.has(type)) return taken.get(type) ?? type;
  switch (type) {
    case "Date":
    case "V1MicroTime":
      return "string";
    case "IntOrString":
      return "number | string";
    case "any":
    case "object":
      return "unknown";
    default:
      return type;
  }
}
const wrap = (type: string): string => (/[ |]/.test(type) ? `(${type})` : type);

/** The compact wire type of the table, see `FieldType` in `src/api/schema.ts`. */
function tableType(type: string, format: string): string {
  const item = type.match(/^Array<(.*)>$/)?.[1];
  if (item !== undefined) return `[]${tableType(item, format)}`;
  const value = type.match(/^\{ \[key: string\]: (.*); \}$/)?.[1];
  if (value !== undefined) return `{}${tableType(value, format)}`;
  if (taken.has(type)) return taken.get(type) ?? type;
  switch (type) {
    case "Date":
      return "date-time";
    case "V1MicroTime":
      return "micro-time";
    case "IntOrString":
      return "int-or-string";
    case "any":
    case "object":
      return "any";
    case "number":
      return format === "int64" || format === "int32" ? format : "double";
    case "string":
      return format === "byte" ? "byte" : "string";
    default:
      return type;
  }
}

const banner = "// Generated by scripts/generate-api.ts from the models of @kubernetes/client-node. Do not edit.\n";
const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
let types = banner;
let table = `${banner}\n/** Type name -> field -> wire type; a trailing "!" marks a required field. */\nexport const definitions: Readonly<Record<string, Readonly<Record<string, string>>>> = {\n`;
for (const [name, list] of [...attributes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  const needs = required.get(name) ?? new Set<string>();
  types += `\nexport interface ${taken.get(name)} {\n`;
  table += `  ${taken.get(name)}: {\n`;
  for (const attribute of list) {
    const isRequired = needs.has(attribute.name);
    types += `  readonly ${key(attribute.baseName)}${isRequired ? "" : "?"}: ${typescriptType(attribute.type)};\n`;
    table += `    ${key(attribute.baseName)}: "${tableType(attribute.type, attribute.format)}${isRequired ? "!" : ""}",\n`;
  }
  types += "}\n";
  table += "  },\n";
}
table += "};\n";
mkdirSync(output, { recursive: true });
writeFileSync(join(output, "types.ts"), types);
writeFileSync(join(output, "definitions.ts"), table);
console.log(`${attributes.size} types -> src/api/generated/`);
