export { openNft } from "./libnftables.ts";
export { openNftables, type Nftables, type SyncReport } from "./nftables.ts";
export { createFakeNftables, type FakeNftables } from "./fake-nftables.ts";
export { NftablesError } from "./nftables-error.ts";
export { countRuleSet, type RuleCounts } from "./rule-counts.ts";
