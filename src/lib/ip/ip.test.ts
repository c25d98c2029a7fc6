import assert from "node:assert/strict";
import { isIP, isIPv6 } from "node:net";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  cidrAddresses,
  cidrContains,
  cidrOf,
  cidrsOverlap,
  ipFromBytes,
  ipFromNumber,
  IpParseError,
  ipToBytes,
  ipToNumber,
  mergeCidrs,
  nthAddress,
  parseCidr,
  parseIpAddress,
  subtractCidrs,
} from "./index.ts";

const v4 = fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value) => ipFromNumber(value, "IPv4"));
const v6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 65_535 })), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.map((group) => group.toString(16)).join(":"));
/** Few bits, so that overlaps happen. */
const smallCidr = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 24, max: 32 }))
  .map(([last, prefix]) => cidrOf(parseIpAddress(`10.0.0.${last}`), prefix));

describe("parseIpAddress()", () => {
  const canonical: readonly (readonly [string, string])[] = [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["fe80::1", "fe80::1"],
  ];
  for (const [text, expected] of canonical) {
    test(`writes ${text} as ${expected}`, () => assert.equal(parseIpAddress(text), expected));
  }

  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /Cannot parse IP address "": write four numbers/],
    ["10.0.0", /four numbers/],
    ["10.0.0.256", /256 exceeds 255/],
    ["10.0.0.01", /"01" has a leading zero/],
    ["10.0.0.a", /"a" is not a number from 0 to 255/],
    ["1:2:3", /3 groups instead of 8/],
    ["1::2::3", /"::" may occur once/],
    ["1:2:3:4:5:6:7::8", /too many groups/],
    ["fe80::1%eth0", /a zone is not allowed/],
    ["12345::", /"12345" is not a group/],
    [":1:2:3:4:5:6:7", /"" is not a group/],
  ];
  for (const [text, message] of refused) {
    test(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(
        () => parseIpAddress(text),
        (error) => error instanceof IpParseError && message.test(error.message),
      ));
  }

  test("reads back what it wrote, and agrees with Node on what IPv6 is", () => {
    fc.assert(
      fc.property(v6, (text) => {
        const address = parseIpAddress(text);
        assert.ok(isIPv6(address), address);
        assert.equal(parseIpAddress(address), address);
        assert.equal(ipFromBytes(ipToBytes(address)), address);
        assert.equal(ipFromNumber(ipToNumber(address), "IPv6"), address);
      }),
    );
    fc.assert(fc.property(v4, (address) => assert.equal(ipFromBytes(ipToBytes(parseIpAddress(address))), address)));
  });

  test("ends in an address or in IpParseError for any text", () => {
    const soup = fc.string({ unit: fc.constantFrom(..."0123456789abcf:./%-".split("")) });
    fc.assert(
      fc.property(fc.oneof(fc.string(), soup), (text) => {
        for (const parse of [parseIpAddress, parseCidr]) {
          try {
            parse(text);
            assert.ok(parse === parseCidr || isIP(text) !== 0, text);
          } catch (error) {
            assert.ok(error instanceof IpParseError, `${text}: ${String(error)}`);
          }
        }
      }),
    );
  });
});

describe("parseCidr()", () => {
  const refused: readonly (readonly [string, string])[] = [
    ["10.0.0.0/33", 'Cannot parse CIDR "10.0.0.0/33": the prefix exceeds 32'],
    ["fd00::/129", 'Cannot parse CIDR "fd00::/129": the prefix exceeds 128'],
    ["10.0.0.0", 'Cannot parse CIDR "10.0.0.0": it has no prefix, such as 10.0.0.0/8'],
    ["10.0.0.0/08", 'Cannot parse CIDR "10.0.0.0/08": the prefix "08" is not a number'],
    ["10.0.0.5/24", 'Cannot parse CIDR "10.0.0.5/24": bits are set beyond the prefix: write 10.0.0.0/24'],
    ["10.0.0.300/24", 'Cannot parse CIDR "10.0.0.300/24": 300 exceeds 255'],
  ];
  for (const [text, message] of refused) {
    test(`refuses ${text}`, () => assert.throws(() => parseCidr(text), { message }));
  }
  test("masks host bits where asked to", () =>
    assert.equal(parseCidr("10.0.0.5/24", { masksHostBits: true }), "10.0.0.0/24"));
});

describe("CIDR arithmetic", () => {
  test("nthAddress() counts from the network and from the end", () => {
    const cidr = parseCidr("10.96.0.0/12");
    assert.equal(nthAddress(cidr, 10), "10.96.0.10");
    assert.equal(nthAddress(cidr, -1), "10.111.255.255");
    assert.equal(nthAddress(parseCidr("fd00::/64"), 1n << 63n), "fd00::8000:0:0:0");
    assert.throws(
      () => nthAddress(parseCidr("10.0.0.0/30"), 4),
      /Cannot take address 4 of 10\.0\.0\.0\/30: it holds 4/,
    );
  });

  test("cidrAddresses() yields all addresses in order", () =>
    assert.deepEqual([...cidrAddresses(parseCidr("10.0.0.4/30"))], ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"]));

  test("containment and overlap agree with the addresses held", () => {
    fc.assert(
      fc.property(smallCidr, smallCidr, (left, right) => {
        const inLeft = new Set(cidrAddresses(left));
        const inRight = [...cidrAddresses(right)];
        assert.equal(
          cidrContains(left, right),
          inRight.every((address) => inLeft.has(address)),
        );
        assert.equal(
          cidrsOverlap(left, right),
          inRight.some((address) => inLeft.has(address)),
        );
      }),
    );
    assert.equal(cidrContains(parseCidr("0.0.0.0/0"), parseIpAddress("::1")), false);
  });

  test("subtractCidrs() leaves exactly the addresses that are in none of the exceptions, disjoint and in order", () => {
    fc.assert(
      fc.property(fc.array(smallCidr), fc.array(smallCidr), (included, excluded) => {
        const expected = new Set(included.flatMap((cidr) => [...cidrAddresses(cidr)]));
        for (const cidr of excluded) for (const address of cidrAddresses(cidr)) expected.delete(address);
        const ranges = subtractCidrs(included, excluded);
        const actual = ranges.flatMap(({ first, last }) => {
          const start = ipToNumber(first);
          return Array.from({ length: Number(ipToNumber(last) - start) + 1 }, (_, index) =>
            ipFromNumber(start + BigInt(index), "IPv4"),
          );
        });
        assert.deepEqual(actual, [...expected].toSorted(byNumber));
        assert.deepEqual(
          mergeCidrs(included).flatMap((cidr) => [...cidrAddresses(cidr)]),
          [...new Set(included.flatMap((cidr) => [...cidrAddresses(cidr)]))].toSorted(byNumber),
        );
      }),
    );
  });

  test("subtractCidrs() reaches the ends of both families", () =>
    assert.deepEqual(
      subtractCidrs([parseCidr("0.0.0.0/0"), parseCidr("::/0")], [parseCidr("0.0.0.0/1"), parseCidr("8000::/1")]),
      [
        { first: "128.0.0.0", last: "255.255.255.255" },
        { first: "::", last: "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
      ],
    ));

  test("mergeCidrs() joins neighbours into the fewest CIDRs", () =>
    assert.deepEqual(
      mergeCidrs(["10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/32", "::/128"].map((text) => parseCidr(text))),
      ["10.0.0.0/24", "10.0.1.0/32", "::/128"],
    ));
});

function byNumber(left: Parameters<typeof ipToNumber>[0], right: Parameters<typeof ipToNumber>[0]): number {
  return Number(ipToNumber(left) - ipToNumber(right));
}
