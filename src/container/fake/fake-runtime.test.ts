import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { containerRuntimeContract, exampleSpec } from "../../../test/contract/container-runtime.ts";
import { systemClock } from "../../machinery/clock.ts";
import type { ContainerSpec, Image } from "../runtime.ts";
import { createFakeContainerRuntime } from "./fake-runtime.ts";

function specIn(
  folder: string,
  image: Image,
  argv: readonly string[],
  changes: Partial<ContainerSpec> = {},
): ContainerSpec {
  const id = randomBytes(32).toString("hex");
  return exampleSpec(image, argv, { id, logPath: join(folder, id, "0.log"), ...changes });
}

containerRuntimeContract("fake runtime", () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-fake-runtime-"));
  const runtime = createFakeContainerRuntime({ clock: systemClock });
  return Promise.resolve({
    runtime,
    spec: (image, argv, changes) => specIn(folder, image, argv, changes),
    restart: () => runtime,
    close: async () => {
      for (const { id } of await runtime.list()) await runtime.stop(id, { graceMs: 0 });
      rmSync(folder, { recursive: true });
    },
  });
});

test("endContainer() ends a container with the given exit code", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-fake-runtime-"));
  const runtime = createFakeContainerRuntime({ clock: systemClock });
  const image = await runtime.images.pull("nginx", { onlyIfPresent: true, never: false });
  const spec = specIn(folder, image, image.command);
  await runtime.start(spec);
  const ended = new Promise((resolve) =>
    runtime.onExit(({ state }) => resolve(state.type === "exited" && state.exitCode)),
  );
  runtime.endContainer(spec.id, 42);
  assert.equal(await ended, 42);
  assert.deepEqual(runtime.started, [spec]);
  rmSync(folder, { recursive: true });
});
