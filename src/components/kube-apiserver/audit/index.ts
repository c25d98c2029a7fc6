export type { AuditedRequest } from "./audit-event.ts";
export { type AuditTrail, createAuditTrail, originOf } from "./audit-trail.ts";
export { auditedClient } from "./audited-client.ts";
