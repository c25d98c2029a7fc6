/** Corefiles as values. */
export { readCorefile } from "./config.ts";
export type { ServerConfig } from "./config.ts";
export { CorefileError } from "./parse.ts";
export type { CacheConfig, CacheSide, ForwardConfig, HostsConfig, KubernetesConfig } from "./plugins.ts";
export { parseHostAndPort } from "./values.ts";
export type { HostAndPort } from "./values.ts";
