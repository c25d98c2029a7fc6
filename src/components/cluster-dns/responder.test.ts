import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeMessage, encodeMessage, queryMessage, rcodes, recordTypes } from "../../lib/dns-message/index.ts";
import { silentLogger } from "../../machinery/log.ts";
import { emptyReply, type Handler, type Reply } from "./handler.ts";
import { createDnsMetrics } from "./metrics.ts";
import { createResponder } from "./responder.ts";

const question = encodeMessage(queryMessage({ id: 7, name: "web.example.", type: recordTypes.A }));
/** No bytes can say it. */
const unspeakable: Reply = {
  ...emptyReply("NOERROR", "forward"),
  answers: [{ name: "web.example.", class: 1, ttlSeconds: 30, data: { type: "A", address: "no address" } }],
};
const failure = new Error("broken");

const handlers: readonly (readonly [what: string, handler: Handler])[] = [
  ["throws", () => assert.fail(failure)],
  ["rejects", () => Promise.reject(failure)],
  ["answers what cannot be written", () => unspeakable],
  ["answers later what cannot be written", () => Promise.resolve(unspeakable)],
];

for (const [what, handler] of handlers) {
  test(`createResponder() answers SERVFAIL for a plugin that ${what}`, async () => {
    const respond = createResponder({
      served: [{ server: "dns://:53", zone: ".", handler, isLogged: false, areErrorsLogged: false }],
      zoneVersion: () => 0,
      metrics: createDnsMetrics(),
      log: silentLogger,
    });
    const reply = await respond(question, { transport: "udp", address: "10.244.1.5", port: 40_000 });
    assert.ok(reply !== undefined);
    const { id, rcode } = decodeMessage(reply);
    assert.deepEqual({ id, rcode }, { id: 7, rcode: rcodes.SERVFAIL });
  });
}
