/** Mistakes of pods and pod templates. Paths start at `field`: `spec`, or `spec.template.spec` within a workload. */
import {
  dataKeyMistakes,
  dnsLabelMistakes,
  labelValueMistakes,
  portNameMistakes,
  subdomainMistakes,
} from "../../lib/labels/index.ts";
import { isIpAddress } from "../../lib/ip/index.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
  valueNotFound,
} from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type {
  Container,
  ContainerPort,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Toleration,
  Volume,
} from "../generated/types.ts";
import { labelMistakes } from "../registry/metadata.ts";
import { addressSentence, atLeast, isPort, nonNegative, oneOf, portRange, repeated } from "../registry/checks.ts";
import { validatePlacement } from "./affinity-validation.ts";
import { validatePodSecurity, validateSecurityContext } from "./security-validation.ts";
import { validateVolumeSource } from "./volume-source-validation.ts";
import { validateResources } from "./resources-validation.ts";

const protocols = ["SCTP", "TCP", "UDP"];

/** A port given as a number or by the name of a container's port. */
export function validatePortReference(port: number | string | undefined, field: string): FieldError[] {
  if (typeof port === "string") return portNameMistakes(port).map((text) => invalidValue(field, port, text));
  return isPort(port) ? [] : [invalidValue(field, port ?? 0, portRange)];
}

function validatePorts(ports: readonly ContainerPort[], field: string): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (port.name) {
      const mistakes = portNameMistakes(port.name);
      errors.push(...mistakes.map((text) => invalidValue(`${path}.name`, port.name, text)));
      if (mistakes.length === 0 && names.has(port.name)) errors.push(duplicateValue(`${path}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(requiredValue(`${path}.containerPort`));
    else if (!isPort(port.containerPort))
      errors.push(invalidValue(`${path}.containerPort`, port.containerPort, portRange));
    if (port.hostPort && !isPort(port.hostPort))
      errors.push(invalidValue(`${path}.hostPort`, port.hostPort, portRange));
    return [...errors, ...oneOf(port.protocol, protocols, `${path}.protocol`)];
  });
}

function validateProbe(probe: Probe | undefined, field: string): FieldError[] {
  if (!probe) return [];
  const errors: FieldError[] = [];
  const handlers = [probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc].filter((handler) => handler !== undefined);
  if (handlers.length === 0) errors.push(requiredValue(field, "must specify a handler type"));
  if (probe.exec && (probe.exec.command ?? []).length === 0) errors.push(requiredValue(`${field}.exec.command`));
  if (probe.httpGet) {
    errors.push(...validatePortReference(probe.httpGet.port, `${field}.httpGet.port`));
    errors.push(...oneOf(probe.httpGet.scheme, ["HTTP", "HTTPS"], `${field}.httpGet.scheme`));
  }
  if (probe.tcpSocket) errors.push(...validatePortReference(probe.tcpSocket.port, `${field}.tcpSocket.port`));
  if (probe.grpc && !isPort(probe.grpc.port))
    errors.push(invalidValue(`${field}.grpc.port`, probe.grpc.port, portRange));
  for (const part of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ] as const) {
    errors.push(...nonNegative(probe[part], `${field}.${part}`));
  }
  return errors;
}

function validateEnvironment(container: Container, field: string): FieldError[] {
  return (container.env ?? []).flatMap((variable, index) => {
    const path = `${field}.env[${index}]`;
    const errors: FieldError[] = [];
    if (!variable.name) errors.push(requiredValue(`${path}.name`));
    else if (!/^[ -<>-~]+$/.test(variable.name)) {
      const rule = "a valid environment variable name must consist only of printable ASCII characters other than '='";
      errors.push(invalidValue(`${path}.name`, variable.name, rule));
    }
    if (variable.valueFrom) {
      const sources = Object.keys(variable.valueFrom);
      if (sources.length === 0) {
        errors.push(
          invalidValue(
            `${path}.valueFrom`,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
          ),
        );
      } else if (variable.value) {
        errors.push(invalidValue(`${path}.valueFrom`, "", "may not be specified when `value` is not empty"));
      } else if (sources.length > 1) {
        errors.push(invalidValue(`${path}.valueFrom`, "", "may not have more than one field specified at a time"));
      }
      for (const source of ["configMapKeyRef", "secretKeyRef"] as const) {
        const reference = variable.valueFrom[source];
        if (!reference) continue;
        if (!reference.key) errors.push(requiredValue(`${path}.valueFrom.${source}.key`));
        else
          errors.push(
            ...dataKeyMistakes(reference.key).map((text) =>
              invalidValue(`${path}.valueFrom.${source}.key`, reference.key, text),
            ),
          );
      }
    }
    return errors;
  });
}

function validateMounts(container: Container, volumes: ReadonlySet<string>, field: string): FieldError[] {
  const paths = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const path = `${field}.volumeMounts[${index}]`;
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(requiredValue(`${path}.name`));
    else if (!volumes.has(mount.name)) errors.push(valueNotFound(`${path}.name`, mount.name));
    if (!mount.mountPath) errors.push(requiredValue(`${path}.mountPath`));
    else if (paths.has(mount.mountPath))
      errors.push(invalidValue(`${path}.mountPath`, mount.mountPath, "must be unique"));
    paths.add(mount.mountPath);
    if (mount.subPath && (mount.subPath.startsWith("/") || mount.subPath.split("/").includes(".."))) {
      const text = mount.subPath.startsWith("/") ? "must be a relative path" : "must not contain '..'";
      errors.push(invalidValue(`${path}.subPath`, mount.subPath, text));
    }
    return errors;
  });
}

function validateContainer(container: Container, volumes: ReadonlySet<string>, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(requiredValue(`${field}.name`));
  else
    errors.push(...dnsLabelMistakes(container.name).map((text) => invalidValue(`${field}.name`, container.name, text)));
  if (!container.image) errors.push(requiredValue(`${field}.image`));
  else if (container.image.trim() !== container.image) {
    errors.push(invalidValue(`${field}.image`, container.image, "must not have leading or trailing whitespace"));
  }
  return [
    ...errors,
    ...validatePorts(container.ports ?? [], `${field}.ports`),
    ...validateEnvironment(container, field),
    ...validateMounts(container, volumes, field),
    ...oneOf(container.imagePullPolicy, ["Always", "IfNotPresent", "Never"], `${field}.imagePullPolicy`),
    ...oneOf(
      container.terminationMessagePolicy,
      ["FallbackToLogsOnError", "File"],
      `${field}.terminationMessagePolicy`,
    ),
    ...validateResources(container.resources, `${field}.resources`),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`),
    ...validateProbe(container.livenessProbe, `${field}.livenessProbe`),
    ...validateProbe(container.readinessProbe, `${field}.readinessProbe`),
    ...validateProbe(container.startupProbe, `${field}.startupProbe`),
    ...["livenessProbe", "startupProbe"].flatMap((name) => {
      const threshold = container[name as "livenessProbe" | "startupProbe"]?.successThreshold ?? 1;
      return threshold === 1 ? [] : [invalidValue(`${field}.${name}.successThreshold`, threshold, "must be 1")];
    }),
  ];
}

function validateVolumes(volumes: readonly Volume[], field: string): FieldError[] {
  const errors = repeated(
    volumes,
    (volume) => volume.name,
    (index) => `${field}[${index}].name`,
  );
  volumes.forEach((volume, index) => {
    const path = `${field}[${index}]`;
    if (!volume.name) errors.push(requiredValue(`${path}.name`));
    else errors.push(...dnsLabelMistakes(volume.name).map((text) => invalidValue(`${path}.name`, volume.name, text)));
    const sources = Object.keys(volume).filter((key) => key !== "name");
    if (sources.length === 0) errors.push(requiredValue(path, "must specify a volume type"));
    for (const extra of sources.slice(1))
      errors.push(forbiddenValue(`${path}.${extra}`, "may not specify more than 1 volume type"));
    errors.push(...validateVolumeSource(volume, path));
  });
  return errors;
}

function validateTolerations(tolerations: readonly Toleration[], field: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const path = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (!toleration.key && toleration.operator !== "Exists") {
      errors.push(
        invalidValue(
          `${path}.operator`,
          toleration.operator ?? "",
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    }
    if (toleration.operator === "Exists" && toleration.value) {
      errors.push(
        invalidValue(`${path}.operator`, toleration.value, "value must be empty when `operator` is 'Exists'"),
      );
    }
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute") {
      errors.push(
        invalidValue(
          `${path}.effect`,
          toleration.effect ?? "",
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    }
    if (toleration.effect) {
      errors.push(...oneOf(toleration.effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"], `${path}.effect`));
    }
    if (toleration.operator) errors.push(...oneOf(toleration.operator, ["Equal", "Exists"], `${path}.operator`));
    errors.push(
      ...labelValueMistakes(toleration.value ?? "").map((text) =>
        invalidValue(`${path}.value`, toleration.value, text),
      ),
    );
    return errors;
  });
}

function validateHostAliases(spec: PodSpec, field: string): FieldError[] {
  return (spec.hostAliases ?? []).flatMap((alias, index) => {
    const path = `${field}.hostAliases[${index}]`;
    const hosts = (alias.hostnames ?? []).flatMap((host) =>
      subdomainMistakes(host).map((text) => invalidValue(`${path}.hostnames`, host, text)),
    );
    return isIpAddress(alias.ip) ? hosts : [invalidValue(`${path}.ip`, alias.ip, addressSentence), ...hosts];
  });
}

function validateDns(spec: PodSpec, field: string): FieldError[] {
  const errors = oneOf(
    spec.dnsPolicy,
    ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
    `${field}.dnsPolicy`,
  );
  const servers = spec.dnsConfig?.nameservers ?? [];
  if (spec.dnsPolicy === "None" && spec.dnsConfig === undefined) {
    errors.push(requiredValue(`${field}.dnsConfig`, "must provide `dnsConfig` when `dnsPolicy` is None"));
  } else if (spec.dnsPolicy === "None" && servers.length === 0) {
    errors.push(
      requiredValue(
        `${field}.dnsConfig.nameservers`,
        "must provide at least one DNS nameserver when `dnsPolicy` is None",
      ),
    );
  }
  servers.forEach((server, index) => {
    if (!isIpAddress(server))
      errors.push(invalidValue(`${field}.dnsConfig.nameservers[${index}]`, server, addressSentence));
  });
  return errors;
}

/** `field` is the path of the spec. */
export function validatePodSpec(spec: PodSpec | undefined, field: string): FieldError[] {
  if (!spec) return [requiredValue(`${field}.containers`)];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const errors = validateVolumes(spec.volumes ?? [], `${field}.volumes`);
  if (containers.length === 0) errors.push(requiredValue(`${field}.containers`));
  const names = new Set<string>();
  const check = (list: readonly Container[], part: string): void => {
    list.forEach((container, index) => {
      const path = `${field}.${part}[${index}]`;
      errors.push(...validateContainer(container, volumes, path));
      if (container.name && names.has(container.name)) errors.push(duplicateValue(`${path}.name`, container.name));
      names.add(container.name);
    });
  };
  check(containers, "containers");
  check(initContainers, "initContainers");
  errors.push(
    ...oneOf(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${field}.restartPolicy`),
    ...validateDns(spec, field),
    ...nonNegative(spec.terminationGracePeriodSeconds, `${field}.terminationGracePeriodSeconds`),
    ...labelMistakes(spec.nodeSelector, `${field}.nodeSelector`),
    ...validateTolerations(spec.tolerations ?? [], `${field}.tolerations`),
    ...validateHostAliases(spec, field),
    ...validatePodSecurity(spec, field),
    ...validatePlacement(spec, field),
  );
  if (spec.activeDeadlineSeconds !== undefined) {
    errors.push(...atLeast(spec.activeDeadlineSeconds, 1, `${field}.activeDeadlineSeconds`));
  }
  for (const part of ["serviceAccountName", "nodeName"] as const) {
    const name = spec[part];
    if (name) errors.push(...subdomainMistakes(name).map((text) => invalidValue(`${field}.${part}`, name, text)));
  }
  for (const part of ["hostname", "subdomain"] as const) {
    const name = spec[part];
    if (name) errors.push(...dnsLabelMistakes(name).map((text) => invalidValue(`${field}.${part}`, name, text)));
  }
  return errors;
}

/** A template within a workload, whose pods must be restarted always unless `restartPolicies` says otherwise. */
export function validatePodTemplate(
  template: PodTemplateSpec | undefined,
  field: string,
  restartPolicies: readonly string[] = ["Always"],
): FieldError[] {
  const errors = [
    ...labelMistakes(template?.metadata?.labels, `${field}.labels`),
    ...validatePodSpec(template?.spec, `${field}.spec`),
  ];
  const policy = template?.spec?.restartPolicy;
  if (policy !== undefined && !restartPolicies.includes(policy)) {
    errors.push(unsupportedValue(`${field}.spec.restartPolicy`, policy, restartPolicies));
  }
  return errors;
}
