/** The victim of node-root-crash.test.ts: composes a node's root, and dies before the n-th call that changes something. */
import { readFileSync } from "node:fs";
import { dieAt, passedPoints } from "./kill-points.ts";

interface Order {
  readonly at: number;
  /** Composed before: what all nodes share is there then. */
  readonly first?: string;
  readonly name: string;
  readonly config: Parameters<typeof composeNodeRoot>[0]["config"];
}

// What is tested must see the patched modules.
const { composeNodeRoot } = await import("../../../src/container/index.ts");

const { at, first, name, config } = JSON.parse(readFileSync(0, "utf8")) as Order;
if (first !== undefined) composeNodeRoot({ config, node: { name: first } });
dieAt(at);
composeNodeRoot({ config, node: { name } });
const passed = passedPoints();
dieAt(Number.POSITIVE_INFINITY);
process.stdout.write(`${passed}\n`);
process.exit(0);
