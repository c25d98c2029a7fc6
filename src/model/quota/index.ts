export { checkQuota, quotaStatus, resourceOfKey } from "./check.ts";
export type { QuotaRequest, QuotaVerdict } from "./check.ts";
