/** Mistakes of containers, and of what workloads and Services share with them: ports by number or name. */
import { dataKeyMistakes, dnsLabelMistakes, portNameMistakes } from "../../lib/labels/index.ts";
import { duplicateValue, forbiddenValue, invalidValue, requiredValue, valueNotFound } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Container, ContainerPort, LifecycleHandler, Probe } from "../generated/types.ts";
import { isPort, nonNegative, oneOf, oneOfListed, portRange } from "../registry/checks.ts";
import { environmentFields } from "./environment-fields.ts";
import { validateResources } from "./resources-validation.ts";
import { validateSecurityContext } from "./security-validation.ts";

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

type Handler = Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc"> & Pick<LifecycleHandler, "sleep">;

/** Exactly one way to ask. */
function validateHandler(handler: Handler, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const kinds = (["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const).filter(
    (kind) => handler[kind] !== undefined,
  );
  if (kinds.length === 0) return [requiredValue(field, "must specify a handler type")];
  for (const [index, kind] of kinds.entries()) {
    if (index > 0) errors.push(forbiddenValue(`${field}.${kind}`, "may not specify more than 1 handler type"));
    else errors.push(...validateKind(handler, kind, field));
  }
  return errors;
}

function validateKind(handler: Handler, kind: keyof Handler, field: string): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc } = handler;
  switch (kind) {
    case "exec":
      return (exec?.command ?? []).length === 0 ? [requiredValue(`${field}.exec.command`)] : [];
    case "httpGet":
      return [
        ...validatePortReference(httpGet?.port, `${field}.httpGet.port`),
        ...oneOf(httpGet?.scheme, ["HTTP", "HTTPS"], `${field}.httpGet.scheme`),
      ];
    case "tcpSocket":
      return validatePortReference(tcpSocket?.port, `${field}.tcpSocket.port`);
    case "grpc":
      return isPort(grpc?.port) ? [] : [invalidValue(`${field}.grpc.port`, grpc?.port ?? 0, portRange)];
    case "sleep":
      return [];
  }
}

function validateLifecycle({ lifecycle }: Container, field: string): FieldError[] {
  return (["postStart", "preStop"] as const).flatMap((name) => {
    const handler = lifecycle?.[name];
    return handler === undefined ? [] : validateHandler(handler, `${field}.lifecycle.${name}`);
  });
}

function validateProbe(probe: Probe | undefined, field: string): FieldError[] {
  if (!probe) return [];
  const errors = validateHandler(probe, field);
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
      const { fieldPath } = variable.valueFrom.fieldRef ?? {};
      if (fieldPath !== undefined) errors.push(...validateFieldPath(fieldPath, `${path}.valueFrom.fieldRef.fieldPath`));
      if (sources.length === 0) {
        errors.push(
          invalidValue(
            `${path}.valueFrom`,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
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

function validateFieldPath(fieldPath: string, field: string): FieldError[] {
  if (fieldPath === "") return [requiredValue(field)];
  const subscript = /^metadata\.(labels|annotations)\['[^']*'\]$/;
  if (subscript.test(fieldPath)) return [];
  if (Object.hasOwn(environmentFields, fieldPath)) return [];
  return [invalidValue(field, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
}

function validateMounts(container: Container, volumes: ReadonlySet<string>, field: string): FieldError[] {
  const paths = new Set<string>();
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const path = `${field}.volumeMounts[${index}]`;
    const errors: FieldError[] = [];
    if (!mount.name) errors.push(requiredValue(`${path}.name`));
    if (!volumes.has(mount.name)) errors.push(valueNotFound(`${path}.name`, mount.name));
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

export function validateContainer(container: Container, volumes: ReadonlySet<string>, field: string): FieldError[] {
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
    ...oneOfListed(
      container.terminationMessagePolicy,
      ["File", "FallbackToLogsOnError"],
      `${field}.terminationMessagePolicy`,
    ),
    ...validateResources(container.resources, `${field}.resources`),
    ...validateSecurityContext(container.securityContext, `${field}.securityContext`),
    ...validateLifecycle(container, field),
    ...validateProbe(container.livenessProbe, `${field}.livenessProbe`),
    ...validateProbe(container.readinessProbe, `${field}.readinessProbe`),
    ...validateProbe(container.startupProbe, `${field}.startupProbe`),
    ...["livenessProbe", "startupProbe"].flatMap((name) => {
      const threshold = container[name as "livenessProbe" | "startupProbe"]?.successThreshold ?? 1;
      return threshold === 1 ? [] : [invalidValue(`${field}.${name}.successThreshold`, threshold, "must be 1")];
    }),
  ];
}
