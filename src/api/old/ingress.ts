/** Ingress as it was written before `networking.k8s.io/v1`. */
import type { Ingress, IngressBackend, ServiceBackendPort } from "../generated/types.ts";
import type { Resource } from "../object.ts";
import { ingresses } from "../networking/ingress.ts";
import type { Draft, ResourceDefinition } from "../registry/index.ts";
import { resources } from "../resources.ts";
import { oldVersion } from "./old-version.ts";
import type { OldIngress, OldIngressBackend } from "./types.ts";

function backendToServed({ service, resource }: IngressBackend): OldIngressBackend {
  const { name, port } = service ?? {};
  const servicePort = port?.name === undefined || port.name === "" ? port?.number : port.name;
  return {
    ...(resource === undefined ? {} : { resource }),
    ...(name === undefined ? {} : { serviceName: name }),
    ...(servicePort === undefined ? {} : { servicePort }),
  };
}

function backendToStored({ serviceName, servicePort, resource }: OldIngressBackend): IngressBackend {
  if (serviceName === undefined && servicePort === undefined) return resource === undefined ? {} : { resource };
  const port: ServiceBackendPort = typeof servicePort === "string" ? { name: servicePort } : numbered(servicePort);
  return { ...(resource === undefined ? {} : { resource }), service: { name: serviceName ?? "", port } };
}

function numbered(servicePort: number | undefined): ServiceBackendPort {
  return servicePort === undefined ? {} : { number: servicePort };
}

function toServed(apiVersion: string, { spec, ...rest }: Ingress): OldIngress {
  const head = { ...rest, apiVersion, kind: "Ingress" };
  if (spec === undefined) return head;
  const { defaultBackend, rules, ...plain } = spec;
  return {
    ...head,
    spec: {
      ...plain,
      ...(defaultBackend === undefined ? {} : { backend: backendToServed(defaultBackend) }),
      ...(rules === undefined
        ? {}
        : {
            rules: rules.map(({ http, ...rule }) => ({
              ...rule,
              ...(http === undefined
                ? {}
                : { http: { paths: http.paths.map((path) => ({ ...path, backend: backendToServed(path.backend) })) } }),
            })),
          }),
    },
  };
}

function toStored({ spec, ...rest }: OldIngress): Ingress {
  const head = { ...rest, apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
  if (spec === undefined) return head;
  const { backend, rules, ...plain } = spec;
  return {
    ...head,
    spec: {
      ...plain,
      ...(backend === undefined ? {} : { defaultBackend: backendToStored(backend) }),
      ...(rules === undefined
        ? {}
        : {
            rules: rules.map(({ http, ...rule }) => ({
              ...rule,
              ...(http === undefined
                ? {}
                : {
                    http: {
                      paths: http.paths.map(({ pathType = "", ...path }) => ({
                        ...path,
                        pathType,
                        backend: backendToStored(path.backend),
                      })),
                    },
                  }),
            })),
          }),
    },
  };
}

function defaults({ spec }: Draft<OldIngress>): void {
  for (const { http } of spec?.rules ?? []) {
    for (const path of http?.paths ?? []) path.pathType ||= "ImplementationSpecific";
  }
}

function fieldName(path: string): string {
  return path
    .replace(/^spec\.defaultBackend/, "spec.backend")
    .replace(/\.service\.name$/, ".serviceName")
    .replace(/\.service\.port(\.\w+)?$/, ".servicePort");
}

function ingressOf(resource: Resource<OldIngress>, age: string): ResourceDefinition<OldIngress> {
  const apiVersion = `${resource.group}/${resource.version}`;
  return oldVersion<OldIngress, Ingress>(ingresses, {
    resource,
    type: "OldIngress",
    deprecationWarning: `${apiVersion} Ingress is deprecated in ${age}; use networking.k8s.io/v1 Ingress`,
    toServed: (stored) => toServed(apiVersion, stored),
    toStored,
    defaults,
    fieldName,
  });
}

export const ingressesV1beta1 = ingressOf(resources.ingressesV1beta1, "v1.19+, unavailable in v1.22+");
export const extensionsIngresses = ingressOf(resources.extensionsIngresses, "v1.14+, unavailable in v1.22+");
