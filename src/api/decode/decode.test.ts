import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ProtobufWriter } from "../../lib/protobuf/index.ts";
import { ApiError } from "../status.ts";
import { decodeObject } from "./index.ts";
import type { DecodeSource, FieldValidation } from "./index.ts";

const service = { group: "", version: "v1", kind: "Service", type: "Service" };
const pod = { group: "", version: "v1", kind: "Pod", type: "Pod" };

function refusal(target: typeof service, source: DecodeSource, validation: FieldValidation = "Strict"): string {
  try {
    decodeObject(target, source, validation);
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, 400);
    return error.message;
  }
  throw new Error("Cannot see a refusal: the body was decoded");
}

const prefix = 'Service in version "v1" cannot be handled as a Service: ';
const refusals: readonly (readonly [string, string])[] = [
  ['{"spec":{"ports":[{"zzzz":80}]}}', `${prefix}strict decoding error: unknown field "spec.ports[0].zzzz"`],
  [
    '{"spec":{"qqqq":1,"type":"NodePort","type":"ClusterIP"},"zzzz":1}',
    `${prefix}strict decoding error: unknown field "spec.qqqq", duplicate field "spec.type", unknown field "zzzz"`,
  ],
  ['{"zzzz":1,"spec":{"qqqq":1}}', `${prefix}strict decoding error: unknown field "zzzz", unknown field "spec.qqqq"`],
  [
    '{"spec":{"ports":[{"port":80},{"port":80,"port":81}]}}',
    `${prefix}strict decoding error: duplicate field "spec.ports[1].port"`,
  ],
  [
    '{"spec":{"ports":[{"port":"80"}]}}',
    `${prefix}json: cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32`,
  ],
  [
    '{"spec":{"ports":{}}}',
    `${prefix}json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort`,
  ],
  ['{"apiVersion":"v2"}', "the API version in the data (v2) does not match the expected API version (v1)"],
];

test("decodeObject() refuses with upstream's sentences", () => {
  for (const [text, message] of refusals) assert.equal(refusal(service, { text }), message, text);
  assert.match(refusal(service, { text: '{"spec":' }), /json parse error: unexpected end of JSON input/);
  assert.match(refusal(service, { text: "[".repeat(10_000) }), /exceeded max depth/);
  assert.match(refusal(service, { text: "apiVersion: v1" }), /invalid character 'a' looking for beginning of value/);
});

test("decodeObject() warns instead, or drops in silence, as the mode says", () => {
  const text = '{"spec":{"type":"NodePort","zzzz":1}}';
  const warned = decodeObject(service, { text }, "Warn");
  assert.deepEqual(warned.warnings, ['unknown field "spec.zzzz"']);
  assert.deepEqual(decodeObject(service, { text }, "Ignore").warnings, []);
  assert.deepEqual(warned.object, { apiVersion: "v1", kind: "Service", spec: { type: "NodePort" } });
});

test("decodeObject() canonicalises quantities and times, drops null and fills required fields", () => {
  const text = JSON.stringify({
    metadata: { creationTimestamp: "2026-11-20T12:00:00.5+02:00", deletionTimestamp: null },
    spec: { containers: [{ resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }] },
  });
  const { object } = decodeObject(pod, { text }, "Strict");
  assert.deepEqual(object, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { creationTimestamp: "2026-11-20T10:00:00Z" },
    spec: { containers: [{ name: "", resources: { limits: { cpu: "500m", memory: "1Gi" } } }] },
  });
});

/** `k8s\0`, then { typeMeta { v1, Service }, raw }. */
function envelope(write: (raw: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter();
  writer.message(1, (meta) => {
    meta.string(1, "v1");
    meta.string(2, "Service");
  });
  writer.message(2, write);
  return Buffer.concat([Buffer.from("k8s\0"), writer.finish()]);
}

test("decodeObject() reads a Service sent as a protocol buffer", () => {
  const protobuf = envelope((raw) => {
    raw.message(1, (metadata) => {
      metadata.string(1, "web");
      metadata.message(8, () => undefined);
      metadata.message(11, (label) => {
        label.string(1, "app");
        label.string(2, "web");
      });
    });
    raw.message(2, (spec) => {
      spec.message(1, (port) => {
        port.string(1, "http");
        port.message(4, (target) => target.string(3, ""));
      });
      spec.string(4, "NodePort");
    });
  });
  const { object } = decodeObject(service, { protobuf }, "Strict");
  assert.deepEqual(object, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { app: "web" } },
    spec: { ports: [{ name: "http", port: 0 }], type: "NodePort" },
  });
});

test("decodeObject() answers any bytes with an object or a 400", () => {
  const check = (source: DecodeSource): void => {
    try {
      decodeObject(pod, source, "Strict");
    } catch (error) {
      assert.ok(error instanceof ApiError && error.code === 400, String(error));
    }
  };
  fc.assert(fc.property(fc.string(), (text) => check({ text })));
  fc.assert(fc.property(fc.json(), (text) => check({ text })));
  fc.assert(fc.property(fc.jsonValue(), (spec) => check({ value: { spec, metadata: { labels: spec } } })));
  const shaped = fc.record({
    spec: fc.record({
      containers: fc.array(fc.dictionary(fc.constantFrom("name", "env", "resources"), fc.jsonValue())),
    }),
  });
  fc.assert(fc.property(shaped, (value) => check({ value })));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      check({ protobuf: Buffer.concat([Buffer.from("k8s\0"), bytes]) }),
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const writer = new ProtobufWriter();
      writer.string(2, Buffer.from(bytes).toString("latin1"));
      check({ protobuf: Buffer.concat([Buffer.from("k8s\0"), writer.finish()]) });
    }),
  );
});

test("decodeObject() takes DeleteOptions under the version of whatever is deleted", () => {
  const target = { group: "", version: "v1", kind: "DeleteOptions", type: "DeleteOptions" } as const;
  const text = '{"kind":"DeleteOptions","apiVersion":"apps/v1","gracePeriodSeconds":5}';
  assert.throws(() => decodeObject(target, { text }, "Ignore"), /does not match the expected API version/);
  const { object } = decodeObject({ ...target, isOfEveryVersion: true }, { text }, "Ignore");
  assert.equal((object as { gracePeriodSeconds?: number }).gracePeriodSeconds, 5);
});
