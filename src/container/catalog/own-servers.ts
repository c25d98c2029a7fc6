/** Images whose server is netloom's own, under the names users know. */
import { imageConfig, type CatalogEntry } from "./entry.ts";
import { ownCommand, ownMounts } from "./own-program.ts";

/** A request and response service with bash and curl beside it. */
export const httpbin: CatalogEntry = {
  names: ["docker.io/kennethreitz/httpbin"],
  version: () => undefined,
  title: "httpbin",
  config: () => imageConfig({ command: [...ownCommand, "httpbin", "--port", "80"] }),
  base: "machine",
  mounts: ownMounts,
  makeLayer: () => undefined,
};

/** The cluster's DNS; as CoreDNS' image, the arguments follow the program. */
export const coredns: CatalogEntry = {
  names: ["registry.k8s.io/coredns/coredns", "docker.io/coredns/coredns", "docker.io/library/coredns"],
  version: () => undefined,
  title: "coredns",
  config: () => imageConfig({ entrypoint: [...ownCommand, "cluster-dns"] }),
  base: "machine",
  mounts: ownMounts,
  makeLayer: () => undefined,
};
