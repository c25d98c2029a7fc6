import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { DnsMessage, RecordData, ResourceRecord } from "./message.ts";
import { DnsMessageError } from "./message.ts";
import { decodeMessage, encodeMessage, frame, frameReader, queryMessage, recordTypes } from "./index.ts";
import { labelsOf } from "./name.ts";

const query = queryMessage({ id: 0x1234, name: "web.default.svc.cluster.local.", type: recordTypes.A });

function record(data: RecordData, name = "web.default.svc.cluster.local."): ResourceRecord {
  return { name, class: 1, ttlSeconds: 30, data };
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ""), "hex");
}

describe("encodeMessage()", () => {
  test("writes a query byte for byte as dig does", () => {
    assert.equal(
      encodeMessage(query).toString("hex"),
      "123401000001000000000000037765620764656661756c740373766307636c7573746572056c6f63616c0000010001",
    );
  });

  test("replaces a name it has written by a pointer, and the tail of one too", () => {
    const message = encodeMessage({
      ...query,
      isResponse: true,
      answers: [
        record({ type: "A", address: "10.96.0.1" }),
        record({ type: "CNAME", target: "db.default.svc.cluster.local." }),
      ],
    });
    assert.equal(
      message.subarray(47).toString("hex"),
      "c00c000100010000001e00040a600001c00c000500010000001e0005026462c010",
    );
  });

  test("does not compress the target of SRV (RFC 2782)", () => {
    const message = encodeMessage({
      ...query,
      answers: [record({ type: "SRV", priority: 0, weight: 100, port: 80, target: "web.default.svc.cluster.local." })],
    });
    assert.equal(message.subarray(-31).toString("latin1"), "\u0003web\u0007default\u0003svc\u0007cluster\u0005local\0");
  });

  test("leaves out answers that exceed the size and says so with TC", () => {
    const answers = Array.from({ length: 100 }, (_, index) => record({ type: "A", address: `10.0.0.${index}` }));
    const bytes = encodeMessage({ ...query, isResponse: true, answers, authorities: answers }, { maxBytes: 512 });
    const cut = decodeMessage(bytes);
    assert.ok(bytes.length <= 512 && bytes.length > 512 - 16);
    assert.equal(cut.isTruncated, true);
    assert.deepEqual(cut.answers, answers.slice(0, cut.answers.length));
    assert.deepEqual(cut.authorities, []);
  });

  test("leaves out additional records without TC, and keeps OPT", () => {
    const additionals = Array.from({ length: 100 }, (_, index) =>
      record({ type: "A", address: `10.0.0.${index}` }, `n${index}.example.`),
    );
    const edns = { udpPayloadBytes: 1232, version: 0, isDnssecOk: false, options: [] };
    const bytes = encodeMessage({ ...query, additionals, edns }, { maxBytes: 512 });
    const cut = decodeMessage(bytes);
    assert.ok(bytes.length <= 512);
    assert.equal(cut.isTruncated, false);
    assert.deepEqual(cut.edns, edns);
    assert.ok(cut.additionals.length > 10 && cut.additionals.length < 100);
  });

  test("carries the upper bits of an extended rcode in OPT", () => {
    const edns = {
      udpPayloadBytes: 4096,
      version: 0,
      isDnssecOk: true,
      options: [{ code: 10, bytes: new TextEncoder().encode("cookie!!") }],
    };
    const message = { ...query, rcode: 16, edns };
    assert.deepEqual(normal(decodeMessage(encodeMessage(message))), normal(message));
  });

  test("refuses what is no name, no address or too long", () => {
    const wrong: readonly RecordData[] = [
      { type: "A", address: "10.0.0.256" },
      { type: "AAAA", address: "fe80::1::2" },
      { type: "AAAA", address: "1:2:3" },
      { type: "CNAME", target: "no-final-dot" },
      { type: "CNAME", target: "two..dots." },
      { type: "CNAME", target: `${"a".repeat(64)}.` },
      { type: "CNAME", target: "abcdefg.".repeat(32) },
      { type: "TXT", texts: ["a".repeat(256)] },
    ];
    for (const data of wrong)
      assert.throws(() => encodeMessage({ ...query, answers: [record(data)] }), DnsMessageError);
  });
});

describe("decodeMessage()", () => {
  const header = "0001 8180 0001 0000 0000 0000";
  const malformed: readonly (readonly [string, string])[] = [
    ["a message shorter than a header", "0001"],
    ["a pointer to itself", `${header} c00c 0001 0001`],
    ["a pointer forward", `${header} c00e 0000 0001 0001`],
    ["two pointers in a circle", `${header} 0161 c00c 0001 0001`],
    ["a label behind the end", `${header} 3f61`],
    ["a name without its end", `${header} 0161`],
    ["the reserved label type 01", `${header} 4161 00 0001 0001`],
    ["a question without its class", `${header} 00 0001`],
    ["a record count above the records", "0001 8180 0000 ffff 0000 0000"],
    ["an A record of three bytes", "0001 8180 0000 0001 0000 0000 00 0001 0001 00000000 0003 0a0000"],
    ["record data behind the end", "0001 8180 0000 0001 0000 0000 00 0001 0001 00000000 00ff 0a0000"],
    ["a text that leaves its record", "0001 8180 0000 0001 0000 0000 00 0010 0001 00000000 0002 0561"],
    ["an EDNS option that leaves its record", "0001 8180 0000 0000 0000 0001 00 0029 04d0 00000000 0004 000a00ff"],
    ["two OPT records", "0001 8180 0000 0000 0000 0002 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000"],
  ];
  for (const [name, bytes] of malformed) {
    test(`refuses ${name}`, () => assert.throws(() => decodeMessage(hex(bytes)), DnsMessageError));
  }

  test("refuses a chain of pointers longer than any name", () => {
    const chain = Buffer.alloc(12 + 2 * 400);
    chain.writeUInt16BE(0x00_01, 6);
    // A root label, then 399 pointers, each to the one before: the record's name starts at the last.
    for (let at = 14; at < chain.length - 2; at += 2) chain.writeUInt16BE(0xc000 | (at - 2), at);
    const question = Buffer.concat([chain.subarray(0, 12), chain.subarray(12)]);
    question.writeUInt16BE(1, 4);
    assert.throws(() => decodeMessage(question), DnsMessageError);
  });

  test("keeps SVCB and HTTPS data as bytes", () => {
    const message: DnsMessage = {
      ...query,
      answers: [record({ type: "OPAQUE", code: 65, bytes: new Uint8Array([0, 1, 0]) })],
    };
    assert.deepEqual(normal(decodeMessage(encodeMessage(message))), normal(message));
  });

  test("escapes dots, backslashes and bytes outside printable ASCII", () => {
    const name = "a\\.b\\\\.\\000\\255x.";
    assert.equal(
      decodeMessage(encodeMessage({ ...query, questions: [{ name, type: 1, class: 1 }] })).questions[0]?.name,
      name,
    );
    assert.deepEqual(labelsOf(name), ["a.b\\", "\0\u00ffx"]);
  });
});

const byteText = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const names = fc.oneof(
  fc.constant("."),
  fc
    .array(fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/), { minLength: 1, maxLength: 6 })
    .map((labels) => `${labels.join(".")}.`),
  fc.constantFrom(
    "web.default.svc.cluster.local.",
    "default.svc.cluster.local.",
    "cluster.local.",
    "a\\.b.cluster.local.",
  ),
);
const short = fc.nat(0xffff);
const long = fc.nat(0xffff_ffff);
const recordData: fc.Arbitrary<RecordData> = fc.oneof(
  fc.ipV4().map((address) => ({ type: "A", address }) as const),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => ({ type: "OPAQUE", code: 64, bytes }) as const),
  fc.tuple(fc.constantFrom("NS", "CNAME", "PTR"), names).map(([type, target]) => ({ type, target }) as const),
  fc.tuple(short, names).map(([preference, exchange]) => ({ type: "MX", preference, exchange }) as const),
  fc.array(byteText(255), { maxLength: 3 }).map((texts) => ({ type: "TXT", texts }) as const),
  fc
    .tuple(short, short, short, names)
    .map(([priority, weight, port, target]) => ({ type: "SRV", priority, weight, port, target }) as const),
  fc.tuple(names, names, long, long).map(
    ([primary, mailbox, serial, seconds]) =>
      ({
        type: "SOA",
        primary,
        mailbox,
        serial,
        refreshSeconds: seconds,
        retrySeconds: seconds,
        expireSeconds: seconds,
        minimumSeconds: seconds,
      }) as const,
  ),
);
const records = fc.array(
  fc.record({ name: names, class: fc.constantFrom(1, 3, 255), ttlSeconds: long, data: recordData }),
  { maxLength: 8 },
);
const messages: fc.Arbitrary<DnsMessage> = fc.record({
  id: short,
  isResponse: fc.boolean(),
  opcode: fc.nat(15),
  isAuthoritative: fc.boolean(),
  isTruncated: fc.boolean(),
  isRecursionDesired: fc.boolean(),
  isRecursionAvailable: fc.boolean(),
  isAuthenticData: fc.boolean(),
  isCheckingDisabled: fc.boolean(),
  rcode: fc.nat(15),
  questions: fc.array(fc.record({ name: names, type: short, class: short }), { maxLength: 2 }),
  answers: records,
  authorities: records,
  additionals: records,
});

/** deepEqual compares Buffer and Uint8Array as different: all bytes as hex. */
function normal(message: DnsMessage): unknown {
  return JSON.parse(
    JSON.stringify(message, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
    ),
  );
}

describe("properties of the codec", () => {
  test("every message survives encoding and decoding", () => {
    fc.assert(
      fc.property(messages, (message) =>
        assert.deepEqual(normal(decodeMessage(encodeMessage(message))), normal(message)),
      ),
    );
  });

  test("every IPv6 address comes back in its one spelling", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const raw = Buffer.concat([hex("0001 8180 0000 0001 0000 0000 00 001c 0001 00000000 0010"), bytes]);
        assert.deepEqual(encodeMessage(decodeMessage(raw)), raw);
      }),
    );
  });

  test("whatever the size asked for, the encoding fits and decodes to a prefix", () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 300, max: 700 }), (message, maxBytes) => {
        const bytes = encodeMessage({ ...message, questions: message.questions.slice(0, 1) }, { maxBytes });
        const cut = decodeMessage(bytes);
        assert.ok(bytes.length <= maxBytes);
        assert.deepEqual(normal({ ...message, answers: message.answers.slice(0, cut.answers.length) }), {
          ...(normal(message) as object),
          answers: (normal(cut) as { answers: unknown }).answers,
        });
      }),
    );
  });

  test("arbitrary and mutilated bytes end in a message or in DnsMessageError", () => {
    const mutilated = fc
      .tuple(messages, fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 6 }), fc.nat(2000))
      .map(([message, changes, length]) => {
        const bytes = encodeMessage(message);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes.subarray(0, Math.max(length, 12));
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutilated), (bytes) => {
        try {
          decodeMessage(bytes);
        } catch (error) {
          assert.ok(error instanceof DnsMessageError, String(error));
        }
      }),
      { numRuns: 400 },
    );
  });
});

test("frameReader() finds the messages again however the connection cuts them", () => {
  const texts = fc.array(fc.uint8Array({ maxLength: 300 }));
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 400 }), (sent, chunkBytes) => {
      const bytes = Buffer.concat(sent.map(frame));
      const found: Buffer[] = [];
      const read = frameReader((message) => found.push(Buffer.from(message)));
      for (let at = 0; at < bytes.length; at += chunkBytes) read(bytes.subarray(at, at + chunkBytes));
      assert.deepEqual(
        found,
        sent.map((message) => Buffer.from(message)),
      );
    }),
  );
});
