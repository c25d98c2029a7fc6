export { planClaim, planVolume } from "./plan.ts";
export {
  attributeClassesOfClaim,
  attributesProtection,
  claimProtection,
  planAttributesProtection,
  planClaimProtection,
  planVolumeProtection,
  volumeProtection,
  withProtection,
} from "./protection.ts";
export { isProvisionedByUs, standardStorageClass } from "./standard-class.ts";
