export { hostsFile, podHostname } from "./hosts.ts";
export { resolvConf } from "./resolv-conf.ts";
