export { openNftables, type Nftables } from "./nftables.ts";
export { NftablesError } from "./nftables-error.ts";
