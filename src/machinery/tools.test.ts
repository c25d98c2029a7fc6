import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lookUpTool, toolLibraryFolders } from "./tools.ts";

const name = "a-program-no-machine-has";

/** `work` gets a tools folder with the program in `usr/bin`, and may change the PATH. */
function withTools(work: (toolsDir: string, program: string) => void): void {
  const toolsDir = mkdtempSync(join(tmpdir(), "netloom-tools-"));
  const { PATH } = process.env;
  try {
    const program = join(toolsDir, "usr/bin", name);
    mkdirSync(join(toolsDir, "usr/bin"), { recursive: true });
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    work(toolsDir, program);
  } finally {
    process.env["PATH"] = PATH;
    rmSync(toolsDir, { recursive: true });
  }
}

test("lookUpTool() gives a program from the tools folder its libraries, also where that folder is on the PATH", () => {
  withTools((path, program) => {
    const fetched = { path: program, env: { LD_LIBRARY_PATH: toolLibraryFolders(path).join(":") } };
    assert.deepEqual(lookUpTool(name, path), fetched);
    process.env["PATH"] = `${join(path, "usr/bin")}:/usr/bin`;
    assert.deepEqual(lookUpTool(name, path), fetched);
    assert.deepEqual(lookUpTool(name, `${path}/`)?.path, program);
  });
});

test("lookUpTool() leaves a program of the machine to the machine's libraries", () => {
  withTools((toolsDir, program) => {
    process.env["PATH"] = join(toolsDir, "usr/bin");
    assert.deepEqual(lookUpTool(name, `${toolsDir}-another`), { path: program, env: {} });
    assert.equal(lookUpTool(`${name}-either`, toolsDir), undefined);
  });
});
