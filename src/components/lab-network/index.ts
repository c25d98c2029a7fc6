export { createLabNetwork, type LabNetworkOptions } from "./lab-network.ts";
