export { ipAddressOf, serviceOfIpAddress } from "./ip-address.ts";
export { containing, planServiceCidr, serviceCidrFinalizer, withCondition } from "./plan.ts";
export { defaultServiceCidrName, givesOut, isReady, rangesOf } from "./ranges.ts";
