/** When requests for certificates have served their purpose. Pure; upstream's times. */
import type { CertificateSigningRequest } from "../../api/generated/types.ts";

const hourMs = 3_600_000;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

/**
 * When a request is to be removed, in milliseconds since the epoch: an hour after it was signed, denied or failed, a day
 * after it was made or granted and nothing followed, or when its certificate ends. Undefined for never.
 *
 * @param expiresAtMs - The end of the certificate, where there is one.
 */
export function requestEndMs(
  { metadata, status }: CertificateSigningRequest,
  expiresAtMs: number | undefined,
): number | undefined {
  const isIssued = (status?.certificate ?? "") !== "";
  const conditions = status?.conditions ?? [];
  if (conditions.length === 0) return after(metadata?.creationTimestamp, pendingMs);
  const ends = conditions.flatMap(({ type, lastUpdateTime }) => {
    if (type === "Denied" || type === "Failed") return [after(lastUpdateTime, decidedMs)];
    if (type !== "Approved") return [];
    return [after(lastUpdateTime, isIssued ? decidedMs : pendingMs), expiresAtMs];
  });
  const known = ends.filter((end) => end !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function after(time: string | undefined, delayMs: number): number | undefined {
  const at = Date.parse(time ?? "");
  return Number.isNaN(at) ? undefined : at + delayMs;
}
