import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { webSocketToken, withoutToken } from "./web-socket-token.ts";

const offer = (token: string): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}, v5.channel.k8s.io`;

test("the token is found among the protocols, and goes no further", () => {
  assert.equal(webSocketToken(offer("a.b.c")), "a.b.c");
  assert.equal(withoutToken(offer("a.b.c")), "v5.channel.k8s.io");
  assert.equal(webSocketToken("v5.channel.k8s.io"), undefined);
  assert.equal(webSocketToken(undefined), undefined);
});

test("any list of protocols is read without a crash", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string().map(offer)), (text) => {
      webSocketToken(text);
      assert.ok(!withoutToken(text).includes("base64url.bearer.authorization.k8s.io."));
    }),
  );
});
