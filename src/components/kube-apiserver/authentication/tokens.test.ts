import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ApiError } from "../../../api/status.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import { generateKeyPairSync } from "node:crypto";
import { createMemoryStore } from "../../../storage/index.ts";
import { createTokenSigner } from "../../../machinery/pki/index.ts";
import { createServiceAccountTokens } from "./service-account-tokens.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signer = createTokenSigner(privateKey.export({ type: "sec1", format: "pem" }) as string);
const issuer = "https://kubernetes.default.svc.cluster.local";
const account = { metadata: { name: "web", namespace: "shop", uid: "account-uid" } };
const podKey = { resource: "pods", namespace: "shop", name: "web-1" };

async function fixture() {
  const store = createMemoryStore();
  const clock = new FakeClock();
  await store.create({ resource: "serviceaccounts", namespace: "shop", name: "web" }, account);
  await store.create(podKey, { metadata: { name: "web-1", namespace: "shop", uid: "pod-uid" } });
  const tokens = createServiceAccountTokens({ signer, issuer, store, clock });
  const issue = (spec = {}): string => tokens.issue(account, { spec }).status?.token ?? "";
  return { store, clock, tokens, issue };
}

test("a token names its service account", async () => {
  const { tokens, issue } = await fixture();
  const user = tokens.authenticate(issue());
  assert.equal(user?.name, "system:serviceaccount:shop:web");
  assert.deepEqual(user?.groups, ["system:serviceaccounts", "system:serviceaccounts:shop"]);
});

test("a token ends with its time", async () => {
  const { tokens, issue, clock } = await fixture();
  const token = issue({ expirationSeconds: 600 });
  await clock.advance(599_000);
  assert.ok(tokens.authenticate(token));
  await clock.advance(1000);
  assert.equal(tokens.authenticate(token), undefined);
});

test("a token ends with its pod", async () => {
  const { tokens, issue, store } = await fixture();
  const token = issue({ boundObjectRef: { kind: "Pod", name: "web-1", uid: "pod-uid" } });
  assert.ok(tokens.authenticate(token));
  await store.delete(podKey, 2);
  assert.equal(tokens.authenticate(token), undefined);
});

test("a token for another audience is not for us", async () => {
  const { tokens, issue } = await fixture();
  assert.equal(tokens.authenticate(issue({ audiences: ["vault"] })), undefined);
});

test("a changed token is none", async () => {
  const { tokens, issue } = await fixture();
  const [header = "", , signature = ""] = issue().split(".");
  const claims = Buffer.from(JSON.stringify({ iss: issuer, aud: [issuer], sub: "admin" })).toString("base64url");
  assert.equal(tokens.authenticate(`${header}.${claims}.${signature}`), undefined);
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  assert.equal(tokens.authenticate(`${none}.${claims}.`), undefined);
});

test("requests that ask too much are refused", async () => {
  const { tokens } = await fixture();
  const refused = (spec: object, pattern: RegExp): void =>
    assert.throws(
      () => tokens.issue(account, { spec }),
      (error) => error instanceof ApiError && pattern.test(error.message),
    );
  refused({ expirationSeconds: 1 }, /may not specify a duration less than 10 minutes/);
  refused({ boundObjectRef: { kind: "Pod", name: "gone" } }, /pods "gone" not found/);
  refused({ boundObjectRef: { kind: "Pod", name: "web-1", uid: "other" } }, /does not match the UID in record/);
});

test("authenticate() reads any text without a crash", async () => {
  const { tokens, issue } = await fixture();
  const [header = ""] = issue().split(".");
  fc.assert(
    fc.property(fc.string(), fc.string(), (payload, signature) => {
      assert.equal(tokens.authenticate(payload), undefined);
      assert.equal(tokens.authenticate(`${header}.${payload}.${signature}`), undefined);
    }),
  );
});
