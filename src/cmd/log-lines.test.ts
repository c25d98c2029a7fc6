import assert from "node:assert/strict";
import { test } from "node:test";
import { createLineReader, isAtLeast, renderEntry } from "./log-lines.ts";

const line = (fields: object): string => `${JSON.stringify(fields)}\n`;

const rendered: readonly (readonly [what: string, text: string, shown: string])[] = [
  [
    "a log line",
    line({ level: "info", time: "2026-11-20T16:42:13.293Z", component: "server", port: 6443, msg: "Serving the API" }),
    "2026-11-20T16:42:13.293Z INFO  server   Serving the API port=6443",
  ],
  [
    "one of an older release, with an error and values of several words",
    line({
      level: 40,
      time: "2026-11-20T16:42:13.293Z",
      component: "server",
      msg: "cannot write",
      path: "/a b",
      pod: { name: "a" },
      error: { message: "disk full", stack: "Error: …" },
    }),
    '2026-11-20T16:42:13.293Z WARN  server   cannot write path="/a b" pod={"name":"a"} error="disk full"',
  ],
  [
    "control characters as what they are",
    line({ level: "info", time: "2026-11-20T16:42:13.293Z", component: "server", msg: "seen", name: "\u001b[2J" }),
    String.raw`2026-11-20T16:42:13.293Z INFO  server   seen name="\u001b[2J"`,
  ],
  ["what is none", "Error: out of memory\n", `${" ".repeat(31)}server   Error: out of memory`],
  [
    "a request of the audit log",
    line({
      kind: "Event",
      stage: "ResponseComplete",
      stageTimestamp: "2026-11-20T16:42:13.293456Z",
      verb: "list",
      requestURI: "/api/v1/pods",
      user: { username: "kubernetes-admin" },
      responseStatus: { code: 200 },
    }),
    "2026-11-20T16:42:13.293Z INFO  audit    kubernetes-admin list /api/v1/pods 200",
  ],
];
for (const [what, text, shown] of rendered) {
  test(`renderEntry() shows ${what}`, () => {
    assert.deepEqual(createLineReader("server")(text).map(renderEntry), [shown]);
  });
}

test("createLineReader() gives what is no log line the time of the one before it, also across reads", () => {
  const read = createLineReader("server");
  const time = "2026-11-20T16:42:13.293Z";
  const [first] = read(line({ level: "info", time, msg: "a" }));
  assert.equal(first?.timeMs, Date.parse(time));
  assert.deepEqual(
    read("Error: a\n    at b\n").map(({ timeMs, level }) => [timeMs, level]),
    [
      [Date.parse(time), "error"],
      [Date.parse(time), "error"],
    ],
  );
});

test("isAtLeast() orders levels", () => {
  assert.ok(isAtLeast("warn", "warn") && isAtLeast("error", "warn"));
  assert.ok(!isAtLeast("info", "warn"));
});
