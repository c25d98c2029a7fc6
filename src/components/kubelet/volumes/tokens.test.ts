import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import { createFakeApiClient } from "../../../client/index.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import { createTokens } from "./tokens.ts";

const pod: Pod = { metadata: { namespace: "default", name: "web", uid: "u1" }, spec: { containers: [] } };

function tokenOf(claims: object): string {
  return ["{}", JSON.stringify(claims), ""].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

function setUp() {
  const clock = new FakeClock();
  const client = createFakeApiClient({ clock });
  client.put(resources.serviceAccounts, { metadata: { namespace: "default", name: "default" } });
  let asked = 0;
  const counting: typeof client = {
    ...client,
    createSubresource: async () => {
      asked += 1;
      return await Promise.resolve({ status: { token: `token-${asked}` } });
    },
  };
  const nowSeconds = Math.floor(clock.now() / 1000);
  const issued = (agoSeconds: number, uid = "u1", lifeSeconds = 3600): string =>
    tokenOf({
      iat: nowSeconds - agoSeconds,
      exp: nowSeconds - agoSeconds + lifeSeconds,
      "kubernetes.io": { pod: { uid } },
    });
  return { tokens: createTokens(counting, clock), issued, clock, asked: () => asked };
}

test("tokenFor() keeps what the pod has from before a restart while it is young", async () => {
  const { tokens, issued, clock, asked } = setUp();
  const present = issued(600);
  assert.equal(await tokens.tokenFor(pod, { path: "token" }, present), present);
  assert.equal(asked(), 0);
  await clock.advance((3600 * 0.8 - 600) * 1000 + 1000);
  assert.equal(await tokens.tokenFor(pod, { path: "token" }, present), "token-1");
});

test("tokenFor() asks anew for what is old, another pod's, or no token", async () => {
  const { tokens, issued, asked } = setUp();
  const others = [
    issued(3000),
    issued(10, "u2"),
    issued(25 * 3600, "u1", 365 * 24 * 3600),
    "x",
    "a.b.c",
    "",
    undefined,
  ];
  for (const present of others) {
    assert.match(await tokens.tokenFor(pod, { path: "token" }, present), /^token-/);
    tokens.forget("u1");
  }
  assert.equal(asked(), others.length);
});
