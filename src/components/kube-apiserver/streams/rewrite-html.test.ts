import assert from "node:assert/strict";
import { Readable, Writable } from "node:stream";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { codingOfPage, passPage, rewriteLink } from "./rewrite-html.ts";

const server = { prefix: "/api/v1/namespaces/default/pods/web/proxy", host: "10.244.1.5:80" };

async function passed(
  page: string | Buffer,
  { coding = "identity", chunk = 7 }: { readonly coding?: "identity" | "gzip"; readonly chunk?: number } = {},
): Promise<Buffer> {
  const bytes = Buffer.from(page);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk) pieces.push(bytes.subarray(at, at + chunk));
  const out: Buffer[] = [];
  const to = new Writable({
    write(data: Buffer, _encoding, done) {
      out.push(data);
      done();
    },
  });
  await passPage(Readable.from(pieces), to, { coding, server });
  return Buffer.concat(out);
}

test("rewriteLink() changes only what names a path of the page's own server", () => {
  const cases = [
    ["/a?b=1#c", `${server.prefix}/a?b=1#c`],
    ["/", `${server.prefix}/`],
    ["http://10.244.1.5:80/a", `${server.prefix}/a`],
    ["//10.244.1.5:80/a", `${server.prefix}/a`],
    [`${server.prefix}/a`, `${server.prefix}/a`],
    ["a", "a"],
    ["../a", "../a"],
    ["#c", "#c"],
    ["//example.com/a", "//example.com/a"],
    ["https://example.com/a", "https://example.com/a"],
    ["mailto:a@example.com", "mailto:a@example.com"],
    ["javascript:/a/.test('a')", "javascript:/a/.test('a')"],
  ] as const;
  for (const [link, expected] of cases) assert.equal(rewriteLink(link, server), expected, link);
});

test("a page's links lead through the proxy, and its other bytes stay", async () => {
  const page = `<!doctype html><A HREF='/a&amp;b' class=x>\u00e0 \u20ac</A><img src=/i.png alt="/no"><p title="/no">/no</p><script src="/s.js">"<a href='/no'>"</script>`;
  const expected = page
    .replace("HREF='/a&amp;b'", `href="${server.prefix}/a&amp;b"`)
    .replace("src=/i.png", `src="${server.prefix}/i.png"`)
    .replace('src="/s.js"', `src="${server.prefix}/s.js"`);
  assert.equal(String(await passed(page)), expected);
  const zipped = await passed(gzipSync(page), { coding: "gzip" });
  assert.equal(String(gunzipSync(zipped)), expected);
});

test("a page without links stays as it is, whatever its bytes", async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 50 }), async (page, chunk) => {
      const body = Buffer.from(page);
      assert.deepEqual(await passed(body, { chunk }), body);
    }),
    { numRuns: 300 },
  );
});

test("codingOfPage() knows pages that can be read", () => {
  assert.equal(codingOfPage({ "content-type": "text/html; charset=utf-8" }), "identity");
  assert.equal(codingOfPage({ "content-type": "Text/HTML", "content-encoding": "gzip" }), "gzip");
  assert.equal(codingOfPage({ "content-type": "text/html", "content-encoding": "br" }), undefined);
  assert.equal(codingOfPage({ "content-type": "application/json" }), undefined);
  assert.equal(codingOfPage({}), undefined);
});
