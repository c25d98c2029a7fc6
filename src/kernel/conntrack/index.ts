export { openConntrack, protocolNumbers, type Conntrack } from "./conntrack.ts";
