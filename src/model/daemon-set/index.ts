export { planDaemonSet } from "./plan.ts";
