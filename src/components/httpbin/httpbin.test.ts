import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { crc32, inflateSync } from "node:zlib";
import * as fc from "fast-check";
import { FakeClock } from "../../machinery/fake-clock.ts";
import { parseBody } from "./body.ts";
import { createHttpbin } from "./server.ts";

const clock = new FakeClock();
const stop = new AbortController();
const server = createHttpbin({ host: "127.0.0.1", port: 0, clock, servedBy: "httpbin-1" });
let running: Promise<void>;
let base = "";

before(async () => {
  running = server.run(stop.signal);
  await server.ready;
  base = `http://127.0.0.1:${server.port}`;
});

after(async () => {
  stop.abort();
  await running;
});

interface Sent extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
}

async function get(path: string, init: Sent = {}): Promise<Response> {
  return fetch(base + path, { redirect: "manual", ...init, headers: { connection: "close", ...init.headers } });
}

async function body(path: string, init: Sent = {}): Promise<Record<string, unknown>> {
  return (await (await get(path, init)).json()) as Record<string, unknown>;
}

describe("httpbin", () => {
  test("shows the page whose title the documents print, and who served it", async () => {
    const response = await get("/");
    assert.match(
      await response.text(),
      /^<!DOCTYPE html>\n<html lang="en">\n\n<head>\n {4}<meta charset="UTF-8">\n {4}<title>httpbin\.org<\/title>/,
    );
    assert.equal(response.headers.get("x-served-by"), "httpbin-1");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
  });

  test("repeats a GET with sorted keys and two spaces", async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { host: "web-service", "user-agent": "curl/7.88.1", accept: "*/*", connection: "close" };
      httpRequest(`${base}/get?a=1&b=2&a=3`, { headers }, (response) => {
        response.setEncoding("utf8");
        let all = "";
        response.on("data", (chunk: string) => (all += chunk));
        response.on("end", () => resolve(all));
      })
        .on("error", reject)
        .end();
    });
    const expected = {
      args: { a: ["1", "3"], b: "2" },
      headers: { Accept: "*/*", Connection: "close", Host: "web-service", "User-Agent": "curl/7.88.1" },
      origin: "127.0.0.1",
      url: "http://web-service/get?a=1&b=2&a=3",
    };
    assert.equal(text, `${JSON.stringify(expected, undefined, 2)}\n`);
  });

  test("repeats the bodies of POST, PUT, PATCH and DELETE", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const path = `/${method.toLowerCase()}`;
      const sent = await body(path, { method, body: '{"a":[1]}', headers: { "content-type": "application/json" } });
      assert.deepEqual([sent["data"], sent["json"]], ['{"a":[1]}', { a: [1] }]);
    }
    const form = await body("/post", { method: "POST", body: new URLSearchParams({ a: "1" }) });
    assert.deepEqual([form["form"], form["data"], form["json"]], [{ a: "1" }, "", null]);
    const parts = new FormData();
    parts.set("field", "value");
    parts.set("file", new Blob(["contents"]), "a.txt");
    const multipart = await body("/anything/deep/path", { method: "POST", body: parts });
    assert.deepEqual(
      [multipart["form"], multipart["files"], multipart["method"]],
      [{ field: "value" }, { file: "contents" }, "POST"],
    );
  });

  const statuses: readonly (readonly [string, number])[] = [
    ["/status/204", 204],
    ["/status/418", 418],
    ["/status/503:3", 503],
    ["/status/nonsense", 400],
    ["/nowhere", 404],
    ["/post", 405],
    ["/bearer", 401],
    ["/basic-auth/user/passwd", 401],
    ["/hidden-basic-auth/user/passwd", 404],
  ];
  for (const [path, expected] of statuses) {
    test(`answers ${path} with ${expected}`, async () => assert.equal((await get(path)).status, expected));
  }

  test("takes the right password", async () => {
    const headers = { authorization: `Basic ${Buffer.from("user:passwd").toString("base64")}` };
    assert.deepEqual(await body("/basic-auth/user/passwd", { headers }), { authenticated: true, user: "user" });
  });

  test("sends a redirect on as often as asked, relative or absolute", async () => {
    assert.equal((await get("/redirect/3")).headers.get("location"), "/relative-redirect/2");
    assert.equal((await get("/redirect/1")).headers.get("location"), "/get");
    assert.equal((await get("/absolute-redirect/2")).headers.get("location"), `${base}/absolute-redirect/1`);
    const to = await get("/redirect-to?url=http%3A%2F%2Fexample.com%2F&status_code=307");
    assert.deepEqual([to.status, to.headers.get("location")], [307, "http://example.com/"]);
  });

  test("sets, shows and deletes cookies", async () => {
    const set = await get("/cookies/set?a=1&b=2");
    assert.deepEqual(set.headers.getSetCookie(), ["a=1; Path=/", "b=2; Path=/"]);
    assert.deepEqual(await body("/cookies", { headers: { cookie: "a=1; b=x=y" } }), { cookies: { a: "1", b: "x=y" } });
    assert.match((await get("/cookies/delete?a")).headers.getSetCookie()[0] ?? "", /^a=; Expires=Thu, 01-Jan-1970/);
  });

  test("waits before it answers, ten seconds at most", async () => {
    const answered = get("/delay/60");
    // The request has to arrive before time can pass for it.
    while (clock.sleeping === 0) await new Promise(setImmediate);
    await clock.advance(9999);
    let isAnswered = false;
    void answered.then(() => (isAnswered = true));
    await new Promise(setImmediate);
    assert.equal(isAnswered, false);
    await clock.advance(1);
    assert.equal((await answered).status, 200);
  });

  test("compresses what it says it compresses", async () => {
    for (const [path, flag] of [
      ["/gzip", "gzipped"],
      ["/deflate", "deflated"],
      ["/brotli", "brotli"],
    ] as const)
      assert.equal((await body(path))[flag], true);
  });

  test("streams as many lines as asked, a hundred at most", async () => {
    const lines = (await (await get("/stream/500")).text()).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { id: number }).id),
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  test("draws a PNG whose checks hold", async () => {
    const response = await get("/image", { headers: { accept: "image/*" } });
    const bytes = Buffer.from(await response.arrayBuffer());
    const length = bytes.readUInt32BE(33);
    const chunk = bytes.subarray(37, 41 + length);
    assert.equal(response.headers.get("content-type"), "image/png");
    assert.equal(bytes.readUInt32BE(41 + length), crc32(chunk));
    assert.equal(inflateSync(chunk.subarray(4)).length, 96 * (1 + 96 * 3));
    assert.equal((await get("/image", { headers: { accept: "text/plain" } })).status, 406);
  });

  test("answers the small ones", async () => {
    assert.equal(await (await get("/base64/SFRUUEJJTiBpcyBhd2Vzb21l")).text(), "HTTPBIN is awesome");
    assert.match(String((await body("/uuid"))["uuid"]), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    assert.equal((await (await get("/bytes/1000")).arrayBuffer()).byteLength, 1000);
    assert.equal((await get("/cache", { headers: { "if-none-match": "x" } })).status, 304);
    assert.equal((await get("/cache/60")).headers.get("cache-control"), "public, max-age=60");
    assert.equal((await get("/response-headers?X-Test=1")).headers.get("x-test"), "1");
    assert.match((await get("/xml")).headers.get("content-type") ?? "", /xml/);
    assert.deepEqual(Object.keys(await body("/json")), ["slideshow"]);
    assert.deepEqual(await body("/user-agent", { headers: { "user-agent": "me" } }), { "user-agent": "me" });
  });

  test("answers HEAD without a body and OPTIONS with the methods", async () => {
    const head = await get("/get", { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    assert.equal((await get("/post", { method: "OPTIONS" })).headers.get("allow"), "OPTIONS, POST");
  });
});

test("parseBody() ends for any bytes and any type", () => {
  const types = fc.constantFrom(
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), types, (bytes, type) => {
      const parsed = parseBody(Buffer.concat([Buffer.from("--x\r\nname="), bytes]), type);
      assert.equal(typeof parsed.data, "string");
    }),
  );
});
