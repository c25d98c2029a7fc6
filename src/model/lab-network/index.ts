export { planLan, planNodeCable, planNodeUplink, planOutside } from "./plan.ts";
