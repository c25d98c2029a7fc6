import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceCIDR } from "../../api/generated/types.ts";
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { givesOut, ipAddressOf, isReady, planServiceCidr, withCondition } from "./index.ts";

const nowMs = Date.UTC(2026, 10, 20, 8, 0, 0);

function range(name: string, cidrs: readonly string[], deletedSecondsAgo?: number): ServiceCIDR {
  const deletion =
    deletedSecondsAgo === undefined
      ? {}
      : { deletionTimestamp: new Date(nowMs - deletedSecondsAgo * 1000).toISOString() };
  return { metadata: { name, finalizers: ["networking.k8s.io/service-cidr-finalizer"], ...deletion }, spec: { cidrs } };
}

const address = (text: string) => ipAddressOf(parseIpAddress(text), { namespace: "default", name: "web" });
const main = range("kubernetes", ["10.96.0.0/12"]);

function plan(cidr: ServiceCIDR, { others = [main], addresses = [] as readonly string[] } = {}) {
  return planServiceCidr(cidr, { all: [...others, cidr], addresses: addresses.map(address), nowMs });
}

test("planServiceCidr() serves a range that lives, and misses its finalizer", () => {
  assert.deepEqual(plan(range("more", ["10.0.0.0/24"])), { action: "serve", isFinalizerMissing: false });
  const bare: ServiceCIDR = { metadata: { name: "more" }, spec: { cidrs: ["10.0.0.0/24"] } };
  assert.deepEqual(plan(bare), { action: "serve", isFinalizerMissing: true });
});

test("planServiceCidr() holds a range whose addresses no other range has", () => {
  const leaving = range("more", ["10.0.0.0/24"], 60);
  assert.deepEqual(plan(leaving, { addresses: ["10.0.0.5"] }), { action: "hold" });
  assert.deepEqual(plan(leaving, { addresses: ["10.96.0.5"] }), { action: "release", afterMs: 0 });
  const around = [main, range("around", ["10.0.0.0/16"])];
  assert.deepEqual(plan(leaving, { others: around, addresses: ["10.0.0.5"] }), { action: "release", afterMs: 0 });
  // Not all of it lies in the other, but the address does.
  const half = [main, range("half", ["10.0.0.0/25"])];
  assert.deepEqual(plan(leaving, { others: half, addresses: ["10.0.0.5"] }), { action: "release", afterMs: 0 });
  assert.deepEqual(plan(leaving, { others: half, addresses: ["10.0.0.200"] }), { action: "hold" });
});

test("planServiceCidr() is not held by addresses that users made", () => {
  const theirs = { ...address("10.0.0.5"), metadata: { name: "10.0.0.5" } };
  const leaving = range("more", ["10.0.0.0/24"], 60);
  const decided = planServiceCidr(leaving, { all: [main, leaving], addresses: [theirs], nowMs });
  assert.deepEqual(decided, { action: "release", afterMs: 0 });
});

test("planServiceCidr() lets a range go ten seconds after its deletion", () => {
  assert.deepEqual(plan(range("more", ["10.0.0.0/24"], 4)), { action: "release", afterMs: 6000 });
});

test("withCondition() changes the time with the status only", () => {
  const ready = withCondition(main, { is: "firstReady", now: "2026-11-20T08:00:00Z" });
  assert.equal(isReady(ready), true);
  const later = withCondition(ready, { is: "ready", now: "2026-11-20T09:00:00Z" });
  assert.equal(later.status?.conditions?.[0]?.lastTransitionTime, "2026-11-20T08:00:00Z");
  assert.equal(withCondition(later, { is: "ready", now: "2026-11-20T10:00:00Z" }), later);
  const held = withCondition(later, { is: "held", now: "2026-11-20T10:00:00Z" });
  assert.equal(held.status?.conditions?.[0]?.lastTransitionTime, "2026-11-20T10:00:00Z");
  assert.equal(isReady(held), false);
});

test("isReady() counts a range that nobody has looked at, and none that is deleted", () => {
  assert.equal(isReady(main), true);
  assert.equal(isReady(range("more", ["10.0.0.0/24"], 1)), false);
});

test("givesOut() leaves out a network's own address, and the broadcast address of IPv4", () => {
  const given = (cidr: string, text: string) => givesOut(parseCidr(cidr), parseIpAddress(text));
  assert.deepEqual(
    ["10.0.0.0", "10.0.0.1", "10.0.0.254", "10.0.0.255", "10.0.1.1"].map((text) => given("10.0.0.0/24", text)),
    [false, true, true, false, false],
  );
  assert.equal(given("fd00::/120", "fd00::ff"), true);
});
