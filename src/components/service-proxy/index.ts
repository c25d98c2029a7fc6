export { nodeNetwork } from "./config.ts";
export { feedHostPorts } from "./feed-host-ports.ts";
export { createServiceProxy, type ServiceProxy } from "./service-proxy.ts";
