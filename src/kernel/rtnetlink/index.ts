export { ChangeMonitor } from "./change-monitor.ts";
export type { LinkAddress } from "./address.ts";
export type { Link, LinkChange, NewLink } from "./link.ts";
export type { Neighbour } from "./neighbour.ts";
export { mainTable, ownerProtocols, type Route } from "./route.ts";
export { Rtnetlink } from "./rtnetlink.ts";
export type { RoutingRule } from "./rule.ts";
export { NetlinkError } from "./socket.ts";
export { NetlinkDecodeError } from "./wire.ts";
