import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { mergeExpositions } from "./merge.ts";

test("mergeExpositions() keeps each family together and tells the processes apart", () => {
  const page = (value: number): string =>
    `# HELP up Whether.\n# TYPE up gauge\nup ${value}\n\n# HELP n_total Of.\n# TYPE n_total counter\nn_total{node="a b"} ${value}\n`;
  const merged = mergeExpositions([
    { labels: { process: "server" }, text: page(1) },
    { labels: { process: "agent-1" }, text: page(2) },
  ]);
  assert.equal(
    merged,
    `# HELP up Whether.
# TYPE up gauge
up{process="server"} 1
up{process="agent-1"} 2
# HELP n_total Of.
# TYPE n_total counter
n_total{process="server",node="a b"} 1
n_total{process="agent-1",node="a b"} 2
`,
  );
});

test("mergeExpositions() takes a family that only the second page has, and any text", () => {
  const text = "# TYPE a gauge\na 1\n";
  assert.equal(
    mergeExpositions([
      { labels: {}, text: "" },
      { labels: {}, text },
    ]),
    text,
  );
  fc.assert(
    fc.property(fc.string(), (any) => typeof mergeExpositions([{ labels: { p: "x" }, text: any }]) === "string"),
  );
});
