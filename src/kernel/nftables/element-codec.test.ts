import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ipFromBytes } from "../../lib/ip/index.ts";
import type { Element, SetDeclaration } from "../../model/rules/index.ts";
import { MessageWriter, NetlinkDecodeError, readMessages } from "../rtnetlink/wire.ts";
import { decodeElements, encodeElements } from "./element-codec.ts";

const declarations: readonly SetDeclaration[] = [
  { name: "frontends", key: ["address", "protocol", "port"], data: ["mark"] },
  { name: "counts", key: ["mark"], data: "verdict" },
  { name: "slots", key: ["mark", "mark"], data: ["address", "port"] },
  { name: "ranges", key: ["mark", "address"], flags: ["interval"] },
  { name: "ips", key: ["address"] },
];

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const arbitraries = {
  address: { ip: bytes(4).map(ipFromBytes), ip6: bytes(16).map(ipFromBytes) },
  protocol: fc.constantFrom("tcp", "udp", "sctp"),
  port: fc.nat(65_535),
  mark: fc.nat(0xffff_ffff),
};

function elementOf(declaration: SetDeclaration, family: "ip" | "ip6"): fc.Arbitrary<Element> {
  const valueOf = (type: (typeof declaration.key)[number]) => {
    if (type === "address") return arbitraries.address[family];
    return type === "source-low-96" ? fc.constant("") : arbitraries[type];
  };
  const bits = family === "ip" ? 32 : 128;
  const key = fc
    .tuple(...declaration.key.map(valueOf))
    .map((values) =>
      values.map((value) => (declaration.flags && typeof value === "string" ? `${value}/${bits}` : value)),
    );
  const verdict = fc.constantFrom<Element["data"]>(
    { verdict: { kind: "goto", chain: "n4" } },
    { verdict: { kind: "jump", chain: "p2" } },
    { verdict: { kind: "drop" } },
    { verdict: { kind: "accept" } },
    { verdict: { kind: "return" } },
  );
  const { data: types } = declaration;
  const data: fc.Arbitrary<Element["data"]> =
    types === undefined
      ? fc.constant(undefined)
      : types === "verdict"
        ? verdict
        : fc.tuple(...types.map(valueOf)).map((values) => ({ values }));
  const cause = { kind: "Service", namespace: "default", name: "web" };
  return fc.record({ key, data }).map((parts) => ({
    family,
    table: "netloom",
    set: declaration.name,
    key: parts.key,
    ...(parts.data === undefined ? {} : { data: parts.data }),
    cause,
  }));
}

describe("elements in nfnetlink's form", () => {
  for (const declaration of declarations) {
    for (const family of ["ip", "ip6"] as const) {
      test(`of ${family} ${declaration.name} are read as they were written`, () => {
        fc.assert(
          fc.property(fc.array(elementOf(declaration, family), { minLength: 1, maxLength: 200 }), (elements) => {
            const read = encodeElements("add", declaration, elements).flatMap((request) => {
              const writer = new MessageWriter().begin(0, 0, 1).u32(0);
              request.write(writer);
              return [...readMessages(writer.finish())].flatMap(({ payload }) =>
                decodeElements(payload, { family, declaration }),
              );
            });
            const expected = elements.map(({ key, data }) => ({
              key,
              ...(data && { data }),
              comment: "Service default/web",
            }));
            assert.deepEqual(read, expected);
          }),
          { numRuns: 20 },
        );
      });
    }
  }

  test("of any bytes are read or refused, never worse", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...declarations), (payload, declaration) => {
        try {
          decodeElements(payload, { family: "ip", declaration });
        } catch (error) {
          assert.ok(error instanceof NetlinkDecodeError, String(error));
        }
      }),
    );
  });
});
