import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import { requestEndMs } from "./index.ts";

const made = Date.UTC(2026, 10, 20, 8);
const hour = 3_600_000;
const decided = "2026-11-20T09:00:00Z";
const condition = (type: string) => ({ type, status: "True", lastUpdateTime: decided });

const cases: readonly (readonly [
  string,
  CertificateSigningRequest["status"],
  number | undefined,
  number | undefined,
])[] = [
  ["a day after it was made, while nobody decides", undefined, undefined, made + 24 * hour],
  ["an hour after it was denied", { conditions: [condition("Denied")] }, undefined, made + 2 * hour],
  ["an hour after it failed", { conditions: [condition("Approved"), condition("Failed")] }, undefined, made + 2 * hour],
  [
    "a day after it was granted, while nobody signs",
    { conditions: [condition("Approved")] },
    undefined,
    made + 25 * hour,
  ],
  [
    "an hour after it was signed",
    { conditions: [condition("Approved")], certificate: "x" },
    made + 99 * hour,
    made + 2 * hour,
  ],
  ["with its certificate", { conditions: [condition("Approved")], certificate: "x" }, made + hour, made + hour],
  ["never for what others have to say", { conditions: [condition("Other")] }, undefined, undefined],
];
for (const [when, status, expiresAtMs, expected] of cases) {
  test(`a certificate request ends ${when}`, () => {
    const request = {
      metadata: { creationTimestamp: "2026-11-20T08:00:00Z" },
      spec: { request: "", signerName: "example.com/x" },
      ...(status === undefined ? {} : { status }),
    };
    assert.equal(requestEndMs(request, expiresAtMs), expected);
  });
}
