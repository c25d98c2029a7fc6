export { nodeNetwork } from "./config.ts";
export { createServiceProxy, type ServiceProxy } from "./service-proxy.ts";
