import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { MessageWriter, NetlinkDecodeError, readMessages } from "../rtnetlink/wire.ts";
import { decodeConnection } from "./conntrack.ts";

function writeDirection(
  writer: MessageWriter,
  type: number,
  flow: { source: number[]; destination: number[]; ports: number[] },
): void {
  writer.nested(type, () => {
    writer.nested(1, () =>
      writer.attribute(1, Uint8Array.from(flow.source)).attribute(2, Uint8Array.from(flow.destination)),
    );
    writer.nested(2, () => {
      writer.attribute(1, Uint8Array.of(17));
      writer.attribute(2, Uint8Array.from(flow.ports.slice(0, 2))).attribute(3, Uint8Array.from(flow.ports.slice(2)));
    });
  });
}

describe("decodeConnection()", () => {
  test("reads both directions, mark and time-out", () => {
    const writer = new MessageWriter().begin(256, 0, 1).u32(2);
    writeDirection(writer, 1, { source: [10, 244, 1, 5], destination: [10, 96, 0, 10], ports: [156, 64, 0, 53] });
    writeDirection(writer, 2, { source: [10, 244, 2, 7], destination: [10, 244, 1, 5], ports: [20, 233, 156, 64] });
    writer
      .attribute(8, Uint8Array.of(0, 128, 0, 7))
      .attribute(7, Uint8Array.of(0, 0, 0, 30))
      .attribute(12, Uint8Array.of(1, 2, 3, 4));
    const [message] = [...readMessages(writer.finish())];
    assert.deepEqual(decodeConnection(message?.payload ?? new Uint8Array()), {
      original: {
        source: "10.244.1.5",
        destination: "10.96.0.10",
        protocol: 17,
        sourcePort: 40_000,
        destinationPort: 53,
      },
      reply: {
        source: "10.244.2.7",
        destination: "10.244.1.5",
        protocol: 17,
        sourcePort: 5353,
        destinationPort: 40_000,
      },
      mark: 0x0080_0007,
      timeoutSeconds: 30,
      id: 0x0102_0304,
    });
  });

  test("reads or refuses any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        try {
          decodeConnection(payload);
        } catch (error) {
          assert.ok(error instanceof NetlinkDecodeError, String(error));
        }
      }),
    );
  });
});
