export { nodeNetwork } from "./config.ts";
export { createServiceProxy, type ServiceProxy, type ServiceProxyOptions } from "./service-proxy.ts";
