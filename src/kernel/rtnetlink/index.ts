export { ChangeMonitor, type MonitorOptions } from "./change-monitor.ts";
export type { Link, NewLink } from "./link.ts";
export { mainTable, ownerProtocols } from "./route.ts";
export { Rtnetlink } from "./rtnetlink.ts";
export { NetlinkError } from "./socket.ts";
