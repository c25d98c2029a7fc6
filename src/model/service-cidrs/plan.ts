/** What the controller does about one ServiceCIDR: its finalizer, its condition, its end. */
import type { Condition, IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { cidrContains, type IpAddress, IpParseError, parseIpAddress } from "../../lib/ip/index.ts";
import { isAllocatedToService } from "./ip-address.ts";
import { givesOut, rangesOf } from "./ranges.ts";

export const serviceCidrFinalizer = "networking.k8s.io/service-cidr-finalizer";

/**
 * Upstream's time between the deletion and the end: so long an API server that has not heard of it might still give out
 * addresses.
 */
const deletionGraceMs = 10_000;

export type ServiceCidrPlan =
  | { readonly action: "serve"; readonly isFinalizerMissing: boolean }
  /** Addresses would be of no range: it stays, and says so. */
  | { readonly action: "hold" }
  | { readonly action: "release"; readonly afterMs: number };

/** @param all - Every ServiceCIDR, the one in question included. */
export function planServiceCidr(
  cidr: ServiceCIDR,
  context: { readonly all: readonly ServiceCIDR[]; readonly addresses: Iterable<IPAddress>; readonly nowMs: number },
): ServiceCidrPlan {
  const { deletionTimestamp, finalizers = [] } = cidr.metadata ?? {};
  if (deletionTimestamp === undefined) {
    return { action: "serve", isFinalizerMissing: !finalizers.includes(serviceCidrFinalizer) };
  }
  const others = context.all.filter(({ metadata }) => metadata?.name !== cidr.metadata?.name);
  if (!isCovered(cidr, others) && isNeeded(cidr, others, context.addresses)) return { action: "hold" };
  return { action: "release", afterMs: Math.max(0, Date.parse(deletionTimestamp) + deletionGraceMs - context.nowMs) };
}

/** Each of its ranges lies in one of another. */
function isCovered(cidr: ServiceCIDR, others: readonly ServiceCIDR[]): boolean {
  const rangesOfOthers = others.flatMap(rangesOf);
  return rangesOf(cidr).every((range) => rangesOfOthers.some((other) => cidrContains(other, range)));
}

/** A Service has an address that no other range gives out. */
function isNeeded(cidr: ServiceCIDR, others: readonly ServiceCIDR[], addresses: Iterable<IPAddress>): boolean {
  const ranges = rangesOf(cidr);
  const rangesOfOthers = others.flatMap(rangesOf);
  for (const object of addresses) {
    const address = isAllocatedToService(object) ? addressOf(object) : undefined;
    if (address === undefined || !ranges.some((range) => givesOut(range, address))) continue;
    if (!rangesOfOthers.some((range) => givesOut(range, address))) return true;
  }
  return false;
}

function addressOf({ metadata }: IPAddress): IpAddress | undefined {
  try {
    return parseIpAddress(metadata?.name ?? "");
  } catch (error) {
    if (error instanceof IpParseError) return undefined;
    throw error;
  }
}

/** The names of those that an address may free or hold: in which it lies. */
export function containing(object: IPAddress, all: readonly ServiceCIDR[]): readonly string[] {
  const address = isAllocatedToService(object) ? addressOf(object) : undefined;
  if (address === undefined) return [];
  return all.flatMap((cidr) =>
    rangesOf(cidr).some((range) => givesOut(range, address)) ? [cidr.metadata?.name ?? ""] : [],
  );
}

const conditions = {
  ready: { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" },
  held: {
    status: "False",
    reason: "Terminating",
    message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
  },
  /** What the API server says of the one it makes, until the controller has looked at it. */
  firstReady: { status: "True", reason: "", message: "Kubernetes default Service CIDR is ready" },
} as const;

/** The object with its condition Ready as it should be; the same object where it is. */
export function withCondition(
  cidr: ServiceCIDR,
  { is, now }: { readonly is: keyof typeof conditions; readonly now: string },
): ServiceCIDR {
  const known = cidr.status?.conditions ?? [];
  const before = known.find(({ type }) => type === "Ready");
  const { status, reason, message } = conditions[is];
  if (before?.status === status && before.reason === reason && before.message === message) return cidr;
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now;
  const ready: Condition = { type: "Ready", status, reason, message, lastTransitionTime };
  return { ...cidr, status: { conditions: [...known.filter(({ type }) => type !== "Ready"), ready] } };
}
