import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { LogReader } from "./log-reader.ts";

describe("LogReader", () => {
  let folder = "";
  let path = "";
  let reader: LogReader;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nl-log-"));
    path = join(folder, "server.log");
    writeFileSync(path, "one\n");
    reader = new LogReader(path);
  });
  afterEach(() => {
    reader.close();
    rmSync(folder, { recursive: true });
  });

  test("gives whole lines only, once, and characters whole", () => {
    assert.equal(reader.read(), "one\n");
    const bytes = Buffer.from("zwölf\n");
    appendFileSync(path, bytes.subarray(0, 3));
    assert.equal(reader.read(), "");
    appendFileSync(path, bytes.subarray(3));
    assert.equal(reader.read(), "zwölf\n");
    assert.equal(reader.read(), "");
  });

  test("loses and repeats nothing when the file is copied and cut", () => {
    assert.equal(reader.read(), "one\n");
    appendFileSync(path, "two\nthr");
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    appendFileSync(path, "ee\n");
    assert.equal(reader.read(), "two\nthree\n");
    assert.equal(reader.read(), "");
  });

  test("goes on with the file that takes the place of another", () => {
    appendFileSync(path, "two\n");
    renameSync(path, `${path}.1`);
    // Nothing there for a moment: what is open is read on.
    assert.equal(reader.read(), "one\ntwo\n");
    writeFileSync(path, "three\n");
    assert.equal(reader.read(), "three\n");
    appendFileSync(path, "four\n");
    assert.equal(reader.read(), "four\n");
  });

  test("starts anew where the file was cut and no copy is left", () => {
    reader.read();
    truncateSync(path);
    appendFileSync(path, "2\n");
    assert.equal(reader.read(), "2\n");
  });
});
