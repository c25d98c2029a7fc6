import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toolLibraryFolders } from "../machinery/tools.ts";
import { openTourShell } from "./tour-shell.ts";

/** A tools folder whose curl and kubectl write what they are called with to the file `said`. */
async function withTools(work: (toolsDir: string, said: () => string) => Promise<void>): Promise<void> {
  const toolsDir = mkdtempSync(join(tmpdir(), "netloom-tour-"));
  const { PATH } = process.env;
  try {
    const programs = join(toolsDir, "usr/bin");
    mkdirSync(programs, { recursive: true });
    for (const name of ["curl", "kubectl"]) {
      const script = `#!/bin/sh\necho "${name} $* with $LD_LIBRARY_PATH" > ${toolsDir}/said\n`;
      writeFileSync(join(programs, name), script, { mode: 0o755 });
    }
    await work(toolsDir, () => readFileSync(join(toolsDir, "said"), "utf8").trim());
  } finally {
    process.env["PATH"] = PATH;
    rmSync(toolsDir, { recursive: true });
  }
}

test("the tour's shell gives a fetched curl its libraries", async () => {
  await withTools(async (toolsDir, said) => {
    // First on the PATH, so that a machine's own curl does not come before it.
    process.env["PATH"] = `${toolsDir}/usr/bin:/usr/bin:/bin`;
    const { type } = openTourShell({ toolsDir, context: "lab", folder: toolsDir });
    assert.equal(await type("curl -s 127.60.0.1:30000 | cat; exit 4"), 4);
    assert.equal(said(), `curl -s 127.60.0.1:30000 with ${toolLibraryFolders(toolsDir).join(":")}`);
  });
});

test("the tour's shell leaves the machine's curl to the machine's libraries, and kubectl to the cluster", async () => {
  await withTools(async (toolsDir, said) => {
    const machine = `${toolsDir}-machine`;
    symlinkSync(join(toolsDir, "usr/bin"), machine);
    try {
      process.env["PATH"] = `${machine}:/usr/bin:/bin`;
      const { type } = openTourShell({ toolsDir, context: "lab", folder: toolsDir });
      assert.equal(await type("curl -s 127.60.0.1:30000"), 0);
      assert.equal(said(), `curl -s 127.60.0.1:30000 with ${process.env["LD_LIBRARY_PATH"] ?? ""}`.trim());
      assert.equal(await type("kubectl get pods"), 0);
      assert.match(said(), /^kubectl --context lab get pods with/);
    } finally {
      rmSync(machine);
    }
  });
});
