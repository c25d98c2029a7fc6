export { openConntrack, protocolNumbers, type Connection, type Conntrack, type Flow } from "./conntrack.ts";
