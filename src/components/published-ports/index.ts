export { desiredPorts, exposingHosts, type PublishedPort } from "./desired-ports.ts";
export { exposeAnnotation, type Exposure, exposedPort, exposuresOf, formatExposures } from "./exposure.ts";
export { createPublishedPorts, type PublishedPortsOptions } from "./published-ports.ts";
