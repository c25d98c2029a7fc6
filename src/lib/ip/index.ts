export {
  type Cidr,
  familyBits,
  ipFamily,
  ipFromBytes,
  ipFromNumber,
  IpParseError,
  ipToBytes,
  ipToNumber,
  isIpAddress,
  parseIpAddress,
} from "./address.ts";
export type { IpAddress, IpFamily } from "./address.ts";
export {
  cidrAddresses,
  cidrContains,
  cidrNetwork,
  cidrOf,
  cidrPrefix,
  cidrSize,
  cidrsOverlap,
  nthAddress,
  parseCidr,
} from "./cidr.ts";
export { hostPort } from "./host-port.ts";
export { mergeCidrs, rangeToCidrs, subtractCidrs } from "./cidr-set.ts";
