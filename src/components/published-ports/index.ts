export { createPublishedPorts, type PublishedPortsOptions } from "./published-ports.ts";
