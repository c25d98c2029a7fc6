import assert from "node:assert/strict";
import { test } from "node:test";
import * as der from "./index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("lengths beyond 127 take more bytes", () => {
  assert.equal(hex(der.octetString(new Uint8Array(127))).slice(0, 4), "047f");
  assert.equal(hex(der.octetString(new Uint8Array(128))).slice(0, 6), "048180");
  assert.equal(hex(der.octetString(new Uint8Array(256))).slice(0, 8), "04820100");
});

test("unsignedInteger() is minimal and never negative", () => {
  assert.equal(hex(der.unsignedInteger(Uint8Array.of(0, 0, 5))), "020105");
  assert.equal(hex(der.unsignedInteger(Uint8Array.of(0x80))), "02020080");
  assert.equal(hex(der.unsignedInteger(Uint8Array.of(0))), "020100");
});

test("objectIdentifier() packs arcs in groups of seven bits", () => {
  assert.equal(hex(der.objectIdentifier("1.2.840.10045.4.3.2")), "06082a8648ce3d040302");
  assert.equal(hex(der.objectIdentifier("2.5.29.17")), "0603551d11");
});

test("time() changes its form in 2050", () => {
  const text = (year: number): string =>
    Buffer.from(der.time(new Date(Date.UTC(year, 0, 2, 3, 4, 5)))).toString("latin1");
  assert.equal(text(2049), "\x17\r490102030405Z");
  assert.equal(text(2050), "\x18\x0f20500102030405Z");
});

test("nesting and tagging", () => {
  assert.equal(hex(der.sequence(der.boolean(true), der.utf8String("a"))), "30060101ff0c0161");
  assert.equal(hex(der.explicit(0, der.boolean(false))), "a003010100");
  assert.equal(hex(der.implicit(2, Uint8Array.of(1))), "820101");
  assert.equal(hex(der.set(der.bitString(Uint8Array.of(0x80), 7))), "310403020780");
});
