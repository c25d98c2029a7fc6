export { createLabNetwork, removeLabNode } from "./lab-network.ts";
