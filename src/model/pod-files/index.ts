export { hostsFile, podHostname } from "./hosts.ts";
export { nodeHostsFile } from "./node-hosts.ts";
export { resolvConf } from "./resolv-conf.ts";
