/** Ingresses and their classes. */
import { rfc1035LabelMistakes, subdomainMistakes } from "../../lib/labels/index.ts";
import { isIpAddress } from "../../lib/ip/index.ts";
import { loadBalancerText } from "../core/service.ts";
import { invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { HTTPIngressPath, Ingress, IngressBackend } from "../generated/types.ts";
import { ageColumn, ageOf, column, listText, nameColumn, nameOf } from "../registry/columns.ts";
import { isPort, portRange } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];

function hostsText({ spec }: Ingress): string {
  const hosts = (spec?.rules ?? []).flatMap(({ host }) => (host ? [host] : []));
  return hosts.length === 0 ? "*" : listText(hosts, 3);
}

function validateBackend(backend: IngressBackend | undefined, field: string): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service !== undefined && resource !== undefined) {
    return [invalidValue(field, "", "cannot set both resource and service backends")];
  }
  if (resource !== undefined) return [];
  if (service === undefined) return [invalidValue(field, "", "resource or service backend is required")];
  const errors: FieldError[] = [];
  if (!service.name) errors.push(requiredValue(`${field}.service.name`));
  else {
    errors.push(
      ...rfc1035LabelMistakes(service.name).map((text) => invalidValue(`${field}.service.name`, service.name, text)),
    );
  }
  const { name, number } = service.port ?? {};
  if (name && number) errors.push(invalidValue(field, "", "cannot set both port name & port number"));
  else if (!name && number === undefined) {
    errors.push(requiredValue(field, "port name or number is required"));
  } else if (!name && !isPort(number)) errors.push(invalidValue(`${field}.service.port.number`, number, portRange));
  return errors;
}

function validatePath(path: HTTPIngressPath, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const text = path.path ?? "";
  if (!path.pathType) errors.push(requiredValue(`${field}.pathType`, "pathType must be specified"));
  else if (!pathTypes.includes(path.pathType)) {
    errors.push(unsupportedValue(`${field}.pathType`, path.pathType, pathTypes));
  } else if (
    path.pathType === "ImplementationSpecific" ? text !== "" && !text.startsWith("/") : !text.startsWith("/")
  ) {
    errors.push(invalidValue(`${field}.path`, text, "must be an absolute path"));
  } else if (path.pathType !== "ImplementationSpecific") {
    for (const part of ["//", "/./", "/../", "%2f", "%2F"]) {
      if (text.includes(part)) errors.push(invalidValue(`${field}.path`, text, `must not contain '${part}'`));
    }
  }
  return [...errors, ...validateBackend(path.backend, `${field}.backend`)];
}

function validateHost(host: string, field: string): FieldError[] {
  if (isIpAddress(host)) return [invalidValue(field, host, "must be a DNS name, not an IP address")];
  const isWildcard = host.startsWith("*.");
  return subdomainMistakes(isWildcard ? host.slice(2) : host).map((text) => invalidValue(field, host, text));
}

function validateIngress({ spec }: Ingress): FieldError[] {
  const rules = spec?.rules ?? [];
  if (rules.length === 0 && spec?.defaultBackend === undefined) {
    return [invalidValue("spec", spec?.rules ?? null, "either `defaultBackend` or `rules` must be specified")];
  }
  const className = spec?.ingressClassName;
  return [
    ...(spec?.defaultBackend === undefined ? [] : validateBackend(spec.defaultBackend, "spec.defaultBackend")),
    ...rules.flatMap((rule, index) => {
      const field = `spec.rules[${index}]`;
      const paths = rule.http?.paths;
      return [
        ...(rule.host ? validateHost(rule.host, `${field}.host`) : []),
        ...(paths?.length === 0 ? [requiredValue(`${field}.http.paths`)] : []),
        ...(paths ?? []).flatMap((path, at) => validatePath(path, `${field}.http.paths[${at}]`)),
      ];
    }),
    ...(spec?.tls ?? []).flatMap(({ hosts, secretName = "" }, index) => [
      ...(hosts ?? []).flatMap((host, at) => validateHost(host, `spec.tls[${index}].hosts[${at}]`)),
      ...nameMistakes(secretName, `spec.tls[${index}].secretName`),
    ]),
    ...(className === undefined ? [] : nameMistakes(className, "spec.ingressClassName")),
  ];
}

function nameMistakes(name: string, field: string): FieldError[] {
  return name === "" ? [] : subdomainMistakes(name).map((text) => invalidValue(field, name, text));
}

const classAnnotation = "kubernetes.io/ingress.class";

export const ingresses = defineResource(resources.ingresses, {
  shortNames: ["ing"],
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Class", "Which controller serves the ingress."),
    column("Hosts", "The names that the rules are for."),
    column("Address", "Where the ingress is reached."),
    column("Ports", "The ports on which the ingress is reached."),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec?.ingressClassName ?? "<none>",
    hostsText(object),
    loadBalancerText(object.status?.loadBalancer),
    (object.spec?.tls ?? []).length > 0 ? "80, 443" : "80",
    ageOf(object, now),
  ],
  onCreate(draft) {
    draft.status = { loadBalancer: {} };
  },
  warnings: ({ metadata }, old) =>
    old === undefined && metadata?.annotations?.[classAnnotation] !== undefined
      ? [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
      : [],
  validate: validateIngress,
});

export const ingressClasses = defineResource(resources.ingressClasses, {
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Controller", "Who serves the ingresses of the class."),
    column("Parameters", "Where the controller finds more settings."),
    ageColumn,
  ],
  cells(object, now) {
    const parameters = object.spec?.parameters;
    const kind = [parameters?.kind, parameters?.apiGroup].filter((part) => part !== undefined && part !== "").join(".");
    const text = parameters === undefined ? "<none>" : `${kind}/${parameters.name}`;
    return [nameOf(object), object.spec?.controller ?? "", text, ageOf(object, now)];
  },
  validate({ spec }) {
    const { controller = "", parameters } = spec ?? {};
    const errors: FieldError[] = [];
    if (controller.length > 250)
      errors.push(invalidValue("spec.controller", controller, "must be no more than 250 bytes"));
    if (controller === "") errors.push(requiredValue("spec.controller"));
    if (parameters !== undefined) {
      if (!parameters.kind) errors.push(requiredValue("spec.parameters.kind"));
      if (!parameters.name) errors.push(requiredValue("spec.parameters.name"));
    }
    return errors;
  },
  validateUpdate: ({ spec }, { old }) =>
    spec?.controller === old.spec?.controller
      ? []
      : [invalidValue("spec.controller", spec?.controller ?? "", immutable)],
});
