export { createLabNetwork } from "./lab-network.ts";
