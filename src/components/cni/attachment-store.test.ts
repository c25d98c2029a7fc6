import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import * as fc from "fast-check";
import { parseIpAddress } from "../../lib/ip/index.ts";
import { type Attachment, AttachmentStore } from "./attachment-store.ts";

describe("AttachmentStore", () => {
  const root = mkdtempSync(join(tmpdir(), "netloom-store-"));
  let dir = "";
  let number = 0;
  beforeEach(() => {
    dir = join(root, String((number += 1)));
  });
  after(() => rmSync(root, { recursive: true }));

  const web: Attachment = {
    namespace: "default",
    name: "web",
    uid: "1",
    addresses: [parseIpAddress("10.244.1.2"), parseIpAddress("fd00::2")],
  };
  const unexpected = (file: string): never => assert.fail(`${file} is not damaged`);

  test("finds everything again, also which addresses were given out last", () => {
    const store = new AttachmentStore(dir, unexpected);
    store.put(web);
    store.put({ ...web, uid: "2", addresses: [parseIpAddress("10.244.1.3")] });
    store.delete("2");
    const again = new AttachmentStore(dir, unexpected);
    assert.deepEqual(again.list(), [web]);
    assert.deepEqual([...again.usedAddresses()], web.addresses);
    assert.deepEqual(again.lastAddresses(), ["10.244.1.3"]);
    assert.deepEqual(again.get("2"), undefined);
  });

  test("tells on which pod an agent that was killed may have been at work: the last, or any", () => {
    const store = new AttachmentStore(dir, unexpected);
    const last = { ...web, uid: "2", addresses: [parseIpAddress("10.244.1.3")] };
    store.put(web);
    store.put(last);
    assert.deepEqual(new AttachmentStore(dir, unexpected).maybeUnfinished(), [last]);
    writeFileSync(join(dir, "last-address"), "10.244.1.3\n");
    assert.deepEqual(new AttachmentStore(dir, unexpected).maybeUnfinished().length, 2);
  });

  test("reports and removes damaged records, whatever is in them", () => {
    new AttachmentStore(dir, unexpected).put(web);
    const content = fc.oneof(fc.string(), fc.json(), fc.constant(JSON.stringify({ ...web, uid: "other" })));
    fc.assert(
      fc.property(content, (text) => {
        writeFileSync(join(dir, "broken.json"), text);
        writeFileSync(join(dir, "last-address"), text);
        const damaged: string[] = [];
        const store = new AttachmentStore(dir, (file) => damaged.push(file));
        assert.deepEqual(damaged, ["broken.json"]);
        assert.deepEqual(store.list(), [web]);
        assert.ok(!readdirSync(dir).includes("broken.json"));
      }),
      { numRuns: 40 },
    );
  });
});
