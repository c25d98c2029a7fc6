import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseCertificationRequest } from "./index.ts";

/** Made with `openssl req -new -subj /O=devs/O=ops/CN=jane` and the alternative names below; an RSA key of 2048 bits. */
const sample = [
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlJQzVEQ0NBY3dDQVFBd0xERU5NQXNHQTFVRUNnd0VaR1YyY3pF",
  "TU1Bb0dBMVVFQ2d3RGIzQnpNUTB3Q3dZRApWUVFEREFScVlXNWxNSUlCSWpBTkJna3Foa2lHOXcwQkFRRUZBQU9DQVE4QU1JSUJD",
  "Z0tDQVFFQXphakZMYncrCkZhS25hT3c5MXhPaGNGY3k2QUZLcWFQc09iWmtodkJ3VEhjNzhTMUZFZXVPaWpCTy9KUlVBbWszdVJu",
  "SVVUTTYKb2gzZUtlaE1Wd2Jua0NxcDdLTE55bmRYRWMvVUd4b2JzaHBkVStzUnp3UmlZdTBwWlprMFV3Z0Z0R3BBMTFGSwpDU2wy",
  "WStvbXFvaVh6MW1OWUtRdldhbVZzODRReDIzTExSMG1TTFpDajRiVno2WjI2Q2lZcmtnVDVOZkxFWm40CnFoSDZhb3hDZnYyZUpP",
  "U2RFNTEybEZ4YXRFY1N4a0xRQTJQTUE1RE1Ndkc4djZLaDhoZXQrcll5S3ZHbENTU0IKMjFzQVdPN1o3bUo2ZUVQTFFSZk9pWStR",
  "ckxsa2JKdUlYMlJ0Tnpvc2drK1F2bmlzWUFkVUM0WmQrMFVEWUJxYwpJbnZEVTVhb09FQlJXUUlEQVFBQm9ITXdjUVlKS29aSWh2",
  "Y05BUWtPTVdRd1lqQmdCZ05WSFJFRVdUQlhnaEJxCllXNWxMbVY0WVcxd2JHVXVZMjl0aHdRS0FRSURoeEQ5QUFBQUFBQUFBQUFB",
  "QUFBQUFBQUJnUkJxWVc1bFFHVjQKWVcxd2JHVXVZMjl0aGhsemNHbG1abVU2THk5bGVHRnRjR3hsTG1OdmJTOXFZVzVsTUEwR0NT",
  "cUdTSWIzRFFFQgpDd1VBQTRJQkFRQXROVGVPY095enludmVrdmlheU5yc2FrS1NvdkZ3QzBVT3B5MUtiWmYzZ09Wd2FteTVqbEE4",
  "Cm9NdXJWWGJkVUQrTDZudFYrV0VvWmJaRS9FYXR5RmNNeDBqY0NTRWxXRFpNazVBT2RGZVBMMU1uQnVVM2R3WFYKZlo0c0MwY2x6",
  "MmU5SDMraGJKWUdmRmlMcUg3bXVuZEZQcHJ1UFBWeDdjRWJxL0l0OVQwS0x0WVM5TnpValliZQpoSWN6amlSOTNLMFhrTklmbDRv",
  "REV5NjhIYkZuQkVRUG5kZy9xRlF3MEtaOXdsaEdyNFE5Ukg1elZJbEpUMlo0CkJIbFh4S2NDaFA2S2lWTnJmTzY1K1ZpRW9wSWFm",
  "Ry82MEZsbmxpOW9mWWVKbnY5WHJhaE5ZV2VRQlhzUFZmZEcKNndtNXROK2ZudmhoMDVhcDRLRXN6WmszYlEwSnJqQWIKLS0tLS1F",
  "TkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==",
].join("");

test("parseCertificationRequest() reads what OpenSSL writes", () => {
  const { publicKey, ...parsed } = parseCertificationRequest(sample) ?? assert.fail("it was not read");
  assert.deepEqual(parsed, {
    commonName: "jane",
    organizations: ["devs", "ops"],
    dnsNames: ["jane.example.com"],
    ipAddresses: ["10.1.2.3", "fd00:0:0:0:0:0:0:1"],
    emailAddresses: ["jane@example.com"],
    uris: ["spiffe://example.com/jane"],
  });
  assert.equal(publicKey.asymmetricKeyType, "rsa");
});

test("parseCertificationRequest() takes no request that its key did not sign, whatever byte was changed", () => {
  const text = Buffer.from(sample, "base64").toString();
  const body = Buffer.from(text.replace(/-----[^-]+-----/g, ""), "base64");
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(body);
      bytes[at] = (bytes[at] ?? 0) ^ change;
      const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
      const parsed = parseCertificationRequest(Buffer.from(pem).toString("base64"));
      // A length written in another way is the same request; what it says must not differ.
      if (parsed !== undefined) assert.equal(parsed.commonName, "jane");
    }),
    { numRuns: 300 },
  );
});

test("parseCertificationRequest() reads any text without a crash", () => {
  const wrapped = fc
    .uint8Array({ maxLength: 200 })
    .map(
      (bytes) =>
        `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(bytes).toString("base64")}\n-----END CERTIFICATE REQUEST-----`,
    )
    .map((pem) => Buffer.from(pem).toString("base64"));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), wrapped), (text) => {
      assert.equal(parseCertificationRequest(text), undefined);
    }),
    { numRuns: 1000 },
  );
});
