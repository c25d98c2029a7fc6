/** What of a pod or a pod template is accepted and yet hardly meant: upstream says so in `Warning` headers. */
import type { Affinity, Container, NodeSelectorTerm, Pod, PodAffinityTerm, PodSpec } from "../generated/types.ts";
import type { PodTemplateSpec } from "../generated/types.ts";
import { portWarnings } from "./port-warnings.ts";

interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Of a new Pod. */
export function podWarnings({ metadata, spec }: Pod): readonly string[] {
  const dots = metadata?.name?.includes(".") === true && (spec?.hostname ?? "") === "" ? [hostnameWarning] : [];
  return [...dots, ...warningsOf(spec, metadata, "")];
}

const hostnameWarning =
  "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]";

/** @param field - Of the template, as in `spec.template`. */
export function templateWarnings(template: PodTemplateSpec | undefined, field: string): readonly string[] {
  return warningsOf(template?.spec, template?.metadata, `${field}.`);
}

/** Node labels that have newer names. */
const oldLabels: ReadonlyMap<string, string> = new Map([
  ["beta.kubernetes.io/arch", 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ["beta.kubernetes.io/os", 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ["failure-domain.beta.kubernetes.io/region", 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ["failure-domain.beta.kubernetes.io/zone", 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ["beta.kubernetes.io/instance-type", 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
]);

const oldAnnotations: readonly (readonly [string, string])[] = [
  ["scheduler.alpha.kubernetes.io/critical-pod", 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
  ["security.alpha.kubernetes.io/unsafe-sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
];

const oldVolumes = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
] as const;

function warningsOf(spec: PodSpec | undefined, metadata: Annotated | undefined, prefix: string): readonly string[] {
  if (spec === undefined) return [];
  const at = `${prefix}spec`;
  const annotations = metadata?.annotations ?? {};
  return [
    ...Object.keys(spec.nodeSelector ?? {}).flatMap((label) => labelWarning(label, `${at}.nodeSelector[${label}]:`)),
    ...nodeAffinityWarnings(spec.affinity, `${at}.affinity.nodeAffinity`),
    ...(spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
      const field = `${at}.topologySpreadConstraints[${index}]`;
      return [
        ...labelWarning(topologyKey, `${field}.topologyKey: ${topologyKey} is`),
        ...selectorWarning(labelSelector, `${field}.labelSelector`),
      ];
    }),
    ...oldAnnotations.flatMap(([key, text]) =>
      key in annotations ? [`${prefix}metadata.annotations[${key}]: ${text}`] : [],
    ),
    ...(spec.volumes ?? []).flatMap((volume, index) =>
      oldVolumes.flatMap(([kind, text]) =>
        volume[kind] === undefined ? [] : [`${at}.volumes[${index}].${kind}: ${text}`],
      ),
    ),
    ...repeatedTexts(
      (spec.hostAliases ?? []).map(({ ip }) => ip),
      (index, ip) => `${at}.hostAliases[${index}].ip: duplicate ip "${ip}"`,
    ),
    ...pullSecretWarnings(spec, `${at}.imagePullSecrets`),
    ...seccompWarning(spec, annotations, prefix),
    ...containersOf(spec, at).flatMap(([container, field]) => environmentWarnings(container, field)),
    ...portWarnings(containersOf(spec, at)),
    ...podAffinityWarnings(spec.affinity, `${at}.affinity`),
  ];
}

function containersOf(spec: PodSpec, at: string): readonly (readonly [Container, string])[] {
  return (["initContainers", "containers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => [container, `${at}.${list}[${index}]`] as const),
  );
}

function labelWarning(label: string, before: string): readonly string[] {
  const text = oldLabels.get(label);
  return text === undefined ? [] : [`${before} ${text}`];
}

function nodeAffinityWarnings(affinity: Affinity | undefined, field: string): readonly string[] {
  const {
    requiredDuringSchedulingIgnoredDuringExecution: required,
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
  } = affinity?.nodeAffinity ?? {};
  const ofTerm = ({ matchExpressions = [] }: NodeSelectorTerm, at: string): readonly string[] =>
    matchExpressions.flatMap(({ key }, index) => labelWarning(key, `${at}.matchExpressions[${index}].key: ${key} is`));
  return [
    ...(required?.nodeSelectorTerms ?? []).flatMap((term, index) =>
      ofTerm(term, `${field}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`),
    ),
    ...(preferred ?? []).flatMap(({ preference }, index) =>
      ofTerm(preference, `${field}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`),
    ),
  ];
}

function podAffinityWarnings(affinity: Affinity | undefined, field: string): readonly string[] {
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((kind) => {
    const {
      requiredDuringSchedulingIgnoredDuringExecution: required,
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
    } = affinity?.[kind] ?? {};
    const ofTerm = ({ labelSelector }: PodAffinityTerm, at: string): readonly string[] =>
      selectorWarning(labelSelector, `${at}.labelSelector`);
    const at = `${field}.${kind}`;
    return [
      ...(required ?? []).flatMap((term, index) =>
        ofTerm(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
      ),
      ...(preferred ?? []).flatMap(({ podAffinityTerm }, index) =>
        ofTerm(podAffinityTerm, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`),
      ),
    ];
  });
}

function selectorWarning(selector: object | undefined, field: string): readonly string[] {
  return selector === undefined ? [`${field}: a null labelSelector results in matching no pod`] : [];
}

function pullSecretWarnings({ imagePullSecrets = [] }: PodSpec, field: string): readonly string[] {
  const names = imagePullSecrets.map(({ name }) => name ?? "");
  return [
    ...repeatedTexts(names, (index, name) => `${field}[${index}].name: duplicate name "${name}"`),
    ...names.flatMap((name, index) => (name === "" ? [`${field}[${index}].name: invalid empty name ""`] : [])),
  ];
}

function seccompWarning(
  { securityContext }: PodSpec,
  annotations: Readonly<Record<string, string>>,
  prefix: string,
): readonly string[] {
  const key = "seccomp.security.alpha.kubernetes.io/pod";
  if (!(key in annotations) || securityContext?.seccompProfile !== undefined) return [];
  return [`${prefix}metadata.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`];
}

/** A variable may be set twice where the second value is made of the first. */
function environmentWarnings({ env = [] }: Container, field: string): readonly string[] {
  const seen = new Set<string>();
  return env.flatMap(({ name, value = "", valueFrom }, index) => {
    const isNew = !seen.has(name);
    seen.add(name);
    const reference = `$(${name})`;
    if (isNew || (valueFrom === undefined && value !== reference && value.includes(reference))) return [];
    return [`${field}.env[${index}]: hides previous definition of "${name}", which may be dropped when using apply`];
  });
}

function repeatedTexts(items: readonly string[], text: (index: number, item: string) => string): readonly string[] {
  return items.flatMap((item, index) => (items.indexOf(item) < index ? [text(index, item)] : []));
}
