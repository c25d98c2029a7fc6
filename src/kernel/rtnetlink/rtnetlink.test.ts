import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { cidrOf, ipFamily, ipFromBytes, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { decodeAddress, encodeAddressDeletion, encodeNewAddress } from "./address.ts";
import { decodeForwarding, encodeForwardingDeletion, encodeNewForwarding } from "./forwarding.ts";
import { decodeLink, encodeLinkChange, encodeNewLink } from "./link.ts";
import { decodeNeighbour, encodeNewNeighbour } from "./neighbour.ts";
import { decodeRoute, encodeNewRoute } from "./route.ts";
import { decodeRule, encodeNewRule } from "./rule.ts";
import { decodeAnswer } from "./socket.ts";
import { messageFlag, MessageWriter, NetlinkDecodeError, readAttributes, readMessages } from "./wire.ts";

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

/** The payload of the only message in `bytes`. */
function payloadOf(bytes: Uint8Array): Uint8Array {
  const messages = [...readMessages(bytes)];
  assert.equal(messages.length, 1);
  return messages[0]?.payload ?? new Uint8Array();
}

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes);
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes);
const ip = fc.oneof(ipv4, ipv6);
const index = fc.integer({ min: 1, max: 0x7fff_ffff });
const byte = fc.integer({ min: 0, max: 255 });
const mac = fc
  .array(byte, { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((value) => value.toString(16).padStart(2, "0")).join(":"));

describe("rtnetlink messages", () => {
  test("addresses come back as they were written", () => {
    const address = record({
      linkIndex: index,
      address: ip,
      prefix: fc.integer({ min: 0, max: 32 }),
      protocol: byte,
    });
    fc.assert(
      fc.property(address, (value) => {
        assert.deepEqual(decodeAddress(payloadOf(encodeNewAddress(value, 7))), value);
        assert.deepEqual(decodeAddress(payloadOf(encodeAddressDeletion(value, 7))), value);
      }),
    );
  });

  test("routes come back as they were written", () => {
    const route = record({
      destination: fc.tuple(ip, fc.integer({ min: 0, max: 32 })).map(([address, prefix]) => cidrOf(address, prefix)),
      linkIndex: fc.option(index, { nil: undefined }),
      isOnlink: fc.boolean(),
      isRefusal: fc.boolean(),
      table: fc.integer({ min: 1, max: 0xffff_ffff }),
      protocol: byte,
    }).map(({ isRefusal, ...rest }) => ({ ...rest, isProhibited: isRefusal && rest.linkIndex === undefined }));
    fc.assert(
      fc.property(route, ipv4, ipv6, (value, gateway4, gateway6) => {
        const gateway = ipFamily(value.destination) === "IPv4" ? gateway4 : gateway6;
        for (const whole of [
          { ...value, gateway: undefined, source: undefined },
          { ...value, gateway, source: gateway },
        ]) {
          assert.deepEqual(decodeRoute(payloadOf(encodeNewRoute(whole, 7))), whole);
        }
      }),
    );
  });

  test("forwarding entries come back as they were written, also when they are to be deleted", () => {
    fc.assert(
      fc.property(record({ linkIndex: index, mac, remote: ip }), (value) => {
        assert.deepEqual(decodeForwarding(payloadOf(encodeNewForwarding(value, 7))), value);
        assert.deepEqual(decodeForwarding(payloadOf(encodeForwardingDeletion(value, 7))), value);
      }),
    );
  });

  test("VXLAN links come back as they were written, whatever the family of their address", () => {
    const vxlan = record({
      vni: fc.integer({ min: 1, max: 0xff_ffff }),
      port: fc.integer({ min: 1, max: 0xffff }),
      local: fc.option(ip, { nil: undefined }),
      isLearning: fc.boolean(),
    });
    fc.assert(
      fc.property(vxlan, (value) => {
        const link = decodeLink(payloadOf(encodeNewLink({ name: "overlay1", kind: "vxlan", vxlan: value }, 7)));
        assert.deepEqual(link.vxlan, value);
      }),
    );
  });

  test("neighbours and rules come back as they were written", () => {
    fc.assert(
      fc.property(record({ linkIndex: index, address: ip, mac, protocol: byte }), (value) =>
        assert.deepEqual(decodeNeighbour(payloadOf(encodeNewNeighbour(value, 7))), value),
      ),
    );
    const rule = record({
      family: fc.constantFrom("IPv4" as const, "IPv6" as const),
      priority: fc.nat(),
      inLink: fc.constantFrom("", "lo", "eth0"),
      table: fc.nat(),
      protocol: byte,
    });
    fc.assert(fc.property(rule, (value) => assert.deepEqual(decodeRule(payloadOf(encodeNewRule(value, 7))), value)));
  });

  test("links come back as they were written, also a change of a single thing", () => {
    const veth = decodeLink(
      payloadOf(
        encodeNewLink(
          {
            name: "v0123456789",
            kind: "veth",
            mac: "ee:ee:ee:ee:ee:ee",
            mtuBytes: 1400,
            isUp: true,
            masterIndex: 3,
            peer: { name: "eth0", namespaceFd: 5 },
          },
          7,
        ),
      ),
    );
    assert.deepEqual(veth, {
      index: 0,
      name: "v0123456789",
      kind: "veth",
      isUp: true,
      mtuBytes: 1400,
      mac: "ee:ee:ee:ee:ee:ee",
      alias: "",
      masterIndex: 3,
    });
    const change = decodeLink(payloadOf(encodeLinkChange(9, { alias: "Pod default/wéb" }, 7)));
    assert.deepEqual({ index: change.index, alias: change.alias }, { index: 9, alias: "Pod default/wéb" });
    assert.throws(() => encodeLinkChange(9, { mac: "ee:ee" }, 7), /Cannot parse MAC address "ee:ee"/);
  });

  test("a long message grows its buffer", () => {
    const names = Array.from({ length: 100 }, (_, number) => `link-number-${number}`);
    const writer = new MessageWriter().begin(1, 2, 3);
    for (const name of names) writer.attributeText(names.indexOf(name) + 1, name);
    assert.equal(readAttributes(payloadOf(writer.finish())).size, 100);
  });

  test("several messages in one datagram are told apart", () => {
    const writer = new MessageWriter().begin(10, 0, 1).u8(1).begin(11, 0, 2);
    const datagram = writer.finish();
    // The first is padded: 17 bytes take 20.
    const padded = new Uint8Array(36);
    padded.set(datagram.subarray(0, 17));
    padded.set(datagram.subarray(17), 20);
    assert.deepEqual(
      [...readMessages(padded)].map(({ type, sequence }) => ({ type, sequence })),
      [
        { type: 10, sequence: 1 },
        { type: 11, sequence: 2 },
      ],
    );
  });
});

describe("rtnetlink decoders with hostile input", () => {
  const decoders = [decodeLink, decodeAddress, decodeRoute, decodeRule, decodeNeighbour];

  test("end in a value or in NetlinkDecodeError for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectOnlyDecodeErrors(() => [...readMessages(bytes)]);
        for (const decode of decoders) expectOnlyDecodeErrors(() => decode(bytes));
        for (const type of [2, 3]) {
          for (const flags of [0, messageFlag.hasAttributes | messageFlag.isCapped]) {
            expectOnlyDecodeErrors(() => decodeAnswer({ type, flags, payload: bytes }));
          }
        }
      }),
    );
  });

  test("end in a value or in NetlinkDecodeError for valid messages with bytes changed", () => {
    const route = encodeNewRoute(
      {
        destination: parseCidr("10.0.0.0/8"),
        gateway: parseIpAddress("10.9.9.9"),
        linkIndex: 2,
        source: parseIpAddress("10.1.1.1"),
        isOnlink: true,
        isProhibited: false,
        table: 100,
        protocol: 110,
      },
      1,
    );
    const link = encodeNewLink({ name: "br0", kind: "bridge", mtuBytes: 1500, isUp: true }, 1);
    const changes = fc.array(fc.tuple(fc.nat({ max: 127 }), byte), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(route, link), changes, (original, edits) => {
        const bytes = original.slice(16);
        for (const [position, value] of edits) bytes[position % bytes.length] = value;
        for (const decode of decoders) expectOnlyDecodeErrors(() => decode(bytes));
      }),
    );
  });

  function expectOnlyDecodeErrors(work: () => unknown): void {
    try {
      work();
    } catch (error) {
      assert.ok(error instanceof NetlinkDecodeError, String(error));
    }
  }

  test("say what does not fit", () => {
    assert.throws(() => [...readMessages(new Uint8Array(10))], /10 bytes are no header/);
    const tooLong = new MessageWriter().begin(1, 0, 1).finish();
    tooLong[0] = 200;
    assert.throws(() => [...readMessages(tooLong)], /its length 200 does not fit 16 bytes/);
    assert.throws(() => readAttributes(Uint8Array.of(2, 0, 1, 0)), /its length 2 does not fit 4 bytes/);
  });
});

describe("decodeAnswer()", () => {
  test("reads the kernel's words behind the errno", () => {
    const writer = new MessageWriter().begin(2, 0, 1);
    writer
      .u32(-101 >>> 0)
      .u32(16)
      .u32(0)
      .u32(0)
      .u32(0)
      .attributeText(1, "Nexthop has invalid gateway");
    const [message] = [...readMessages(writer.finish())];
    assert.ok(message !== undefined);
    const flags = messageFlag.hasAttributes | messageFlag.isCapped;
    assert.deepEqual(decodeAnswer({ ...message, flags }), { errno: 101, detail: "Nexthop has invalid gateway" });
    assert.deepEqual(decodeAnswer({ ...message, flags: 0 }), { errno: 101, detail: "" });
  });
});
