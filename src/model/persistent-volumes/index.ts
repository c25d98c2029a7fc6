export { planClaim, planVolume } from "./plan.ts";
export { isProvisionedByUs, standardStorageClass } from "./standard-class.ts";
