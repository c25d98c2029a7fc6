export { planClaim, planVolume } from "./plan.ts";
export {
  claimProtection,
  planClaimProtection,
  planVolumeProtection,
  volumeProtection,
  withProtection,
} from "./protection.ts";
export { isProvisionedByUs, standardStorageClass } from "./standard-class.ts";
