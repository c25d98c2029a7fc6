export { checkQuota, quotaStatus } from "./check.ts";
export type { QuotaRequest, QuotaVerdict } from "./check.ts";
