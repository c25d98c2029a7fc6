import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { kubectlAdvice } from "./setup.ts";

test("kubectlAdvice() puts a fetched kubectl into a PATH that has none", () => {
  const folder = mkdtempSync(join(tmpdir(), "nl-setup-"));
  try {
    assert.equal(kubectlAdvice(folder, "/nowhere"), undefined);
    mkdirSync(join(folder, "usr/bin"), { recursive: true });
    writeFileSync(join(folder, "usr/bin/kubectl"), "");
    assert.equal(kubectlAdvice(folder, "/nowhere"), `export PATH="${folder}/usr/bin:$PATH"`);
    assert.equal(kubectlAdvice(folder, `/nowhere:${folder}/usr/bin`), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
