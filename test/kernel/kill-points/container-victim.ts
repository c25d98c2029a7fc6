/**
 * The victim of container-crash.test.ts: starts one container, or stops and removes the one of its specification, and dies
 * before the n-th call that changes something, or some time after a program was started.
 */
import { readFileSync } from "node:fs";
import type { ContainerSpec } from "../../../src/container/index.ts";
import { dieAt, dieAfterSpawn, passedPoints } from "./kill-points.ts";

interface Order {
  readonly action: "start" | "remove";
  /** The call before which it dies. */
  readonly at: number;
  /** It dies so long after it has started its first program, instead. */
  readonly afterSpawnMs?: number;
  readonly config: Parameters<typeof createContainerRuntime>[0]["config"];
  readonly node: { readonly name: string };
  readonly spec: ContainerSpec;
}

// What is tested must see the patched modules.
const { createContainerRuntime, prepareContainerHost } = await import("../../../src/container/index.ts");
const { systemClock } = await import("../../../src/machinery/clock.ts");
const { silentLogger } = await import("../../../src/machinery/log.ts");

const { action, at, afterSpawnMs, config, node, spec } = JSON.parse(readFileSync(0, "utf8")) as Order;
prepareContainerHost();
const runtime = createContainerRuntime({ config, node, clock: systemClock, log: silentLogger });
if (afterSpawnMs === undefined) dieAt(at);
else dieAfterSpawn(afterSpawnMs);
if (action === "start") await runtime.start(spec);
else {
  await runtime.stop(spec.id, { graceMs: 0 });
  await runtime.remove(spec.id);
}
const passed = passedPoints();
dieAt(Number.POSITIVE_INFINITY);
process.stdout.write(`${passed}\n`);
process.exit(0);
