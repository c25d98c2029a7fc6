export { NamespaceNetwork } from "./namespace-network.ts";
