import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fieldErrorText } from "../field-error.ts";
import { ipAddresses, serviceCidrs } from "./service-cidr.ts";

const ranges = (cidrs: readonly string[]) => ({ metadata: { name: "more" }, spec: { cidrs } });

describe("a ServiceCIDR is refused in upstream's words", () => {
  const onePerFamily = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[], "spec.cidrs: Required value: at least one CIDR required"],
    [["a", "b", "c"], 'spec.cidrs: Invalid value: {"CIDRs":["a","b","c"]}: may only hold up to 2 values'],
    [
      ["10.1.0.0/24", "10.2.0.0/24"],
      `spec.cidrs: Invalid value: {"CIDRs":["10.1.0.0/24","10.2.0.0/24"]}: ${onePerFamily}`,
    ],
    [["10.1.0.0/24", "x:"], `spec.cidrs: Invalid value: {"CIDRs":["10.1.0.0/24","x:"]}: ${onePerFamily}`],
    [
      ["10.1.0.0"],
      'spec.cidrs[0]: Invalid value: "10.1.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [
      ["10.1.0.0/33"],
      'spec.cidrs[0]: Invalid value: "10.1.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [["10.01.0.0/24"], 'spec.cidrs[0]: Invalid value: "10.01.0.0/24": must not have leading 0s in IP'],
    [["10.1.0.0/024"], 'spec.cidrs[0]: Invalid value: "10.1.0.0/024": must not have leading 0s in prefix length'],
    [["10.1.0.1/24"], 'spec.cidrs[0]: Invalid value: "10.1.0.1/24": must not have bits set beyond the prefix length'],
    [
      ["::ffff:1.1.1.0/120"],
      'spec.cidrs[0]: Invalid value: "::ffff:1.1.1.0/120": must not have an IPv4-mapped IPv6 address',
    ],
    [["2001:DB8::/64"], 'spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")'],
  ];
  for (const [cidrs, message] of cases) {
    test(JSON.stringify(cidrs), () =>
      assert.deepEqual(serviceCidrs.validate(ranges(cidrs)).map(fieldErrorText), [message]),
    );
  }

  test("one of each family is right", () => {
    assert.deepEqual(serviceCidrs.validate(ranges(["10.1.0.0/24", "fd00::/112"])), []);
  });
});

test("a ServiceCIDR's ranges stay, but one of the other family may join", () => {
  const change = (before: readonly string[], after: readonly string[]) =>
    serviceCidrs.validateUpdate(ranges(after), { old: ranges(before), subresource: "" }).map(fieldErrorText);
  assert.deepEqual(change(["10.1.0.0/24"], ["10.1.0.0/24", "fd00::/112"]), []);
  assert.deepEqual(change(["10.1.0.0/24"], ["10.1.0.0/16"]), [
    'spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable',
  ]);
  assert.deepEqual(change(["10.1.0.0/24"], ["fd00::/112", "10.1.0.0/24"]), [
    'spec.cidrs[0]: Invalid value: "fd00::/112": field is immutable',
  ]);
  assert.deepEqual(change(["10.1.0.0/24", "fd00::/112"], ["10.1.0.0/24"]), [
    'spec.cidrs: Invalid value: ["10.1.0.0/24"]: field is immutable',
  ]);
});

test("an IPAddress is called as its address is written, and names whose it is", () => {
  const parentRef = { resource: "services", namespace: "default", name: "web" };
  const mistakes = (name: string, parent: object = parentRef) =>
    ipAddresses.validate({ metadata: { name }, spec: { parentRef: { ...parentRef, ...parent } } }).map(fieldErrorText);
  assert.deepEqual(mistakes("10.96.0.7"), []);
  assert.deepEqual(mistakes("fd00::7"), []);
  assert.deepEqual(mistakes("web"), [
    'metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ]);
  assert.deepEqual(mistakes("10.96.0.07"), ['metadata.name: Invalid value: "10.96.0.07": must not have leading 0s']);
  assert.deepEqual(mistakes("FD00::7"), [
    'metadata.name: Invalid value: "FD00::7": must be in canonical form ("fd00::7")',
  ]);
  assert.deepEqual(mistakes("::ffff:10.0.0.1"), [
    'metadata.name: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
  ]);
  assert.deepEqual(mistakes("10.96.0.7", { name: "", resource: "a/b" }), [
    "spec.parentRef.resource: Invalid value: \"a/b\": may not contain '/'",
    "spec.parentRef.name: Required value",
  ]);
});
