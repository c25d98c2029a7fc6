import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { NodeChange, NodeRoster } from "../../model/node-roster/index.ts";
import {
  callControl,
  changeNode,
  type ClusterProgress,
  ControlError,
  followProgress,
  followRoster,
  openOutputKeeper,
  reportNodeState,
  reportProgress,
  serveControl,
} from "./index.ts";

test("the control socket answers status, and follows what is reported, past milestones first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-control-"));
  const path = join(folder, "holder.sock");
  const progress: ClusterProgress[] = [{ step: "namespaces", atMs: 1 }];
  const followers = new Set<(progress: ClusterProgress) => void>();
  const changes: NodeChange[] = [];
  const states: string[] = [];
  const outputs: unknown[] = [];
  const roster: NodeRoster = [
    {
      node: {
        name: "node-1",
        addresses: ["192.168.60.11"],
        podCidrs: ["10.244.1.0/24"],
        loopbackAddress: "127.60.0.1",
      },
      agent: 1,
      wanted: "running",
      end: "shutdown",
    },
  ];
  const server = await serveControl(path, {
    status: () => ({ components: [{ name: "server", pid: 7, restarts: 0, startedAtMs: 1 }], nodes: [], progress }),
    followRoster: (callback) => {
      callback(roster);
      return () => undefined;
    },
    changeNode: (change) => {
      changes.push(change);
      return { name: "node-4" };
    },
    output: (message) => void outputs.push(message),
    nodeState: (name, state) => void states.push(`${name} ${state}`),
    report: (item) => {
      progress.push(item);
      for (const follower of followers) follower(item);
    },
    follow: (callback) => {
      for (const item of progress) callback(item);
      followers.add(callback);
      return () => followers.delete(callback);
    },
  });
  try {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const steps = followProgress(path, new AbortController().signal);
    assert.equal((await steps.next()).value?.step, "namespaces");
    await reportProgress(path, { step: "nodes-ready", detail: "3 nodes", atMs: 2 });
    assert.deepEqual((await steps.next()).value, { step: "nodes-ready", detail: "3 nodes", atMs: 2 });
    await steps.return(undefined);
    assert.equal((await callControl(path, { operation: "status" })).progress.length, 2);
    const rosters = followRoster(path, new AbortController().signal);
    assert.deepEqual((await rosters.next()).value, roster);
    await rosters.return(undefined);
    assert.deepEqual(await changeNode(path, { action: "add" }), { name: "node-4" });
    assert.deepEqual(changes, [{ action: "add", isPowerCut: false }]);
    await reportNodeState(path, "node-1", "running");
    assert.deepEqual(states, ["node-1 running"]);
    const keeping = new AbortController();
    const keeper = await openOutputKeeper(path, keeping.signal);
    const output = { id: "web", pids: [7, 8], pipes: [1, 2] };
    // Together they are more than a stranger may send.
    const many = Array.from({ length: 2000 }, () => output);
    for (const one of many) keeper.hold(one);
    keeper.release("web");
    while (outputs.length < many.length + 1) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(outputs, [...many.map((hold) => ({ hold })), { release: "web" }]);
    keeping.abort();
    const stranger = connect(path);
    stranger.write("GET / HTTP/1.1\n");
    const [answer] = (await once(stranger, "data")) as [Buffer];
    assert.match(answer.toString(), /not a request/);
    stranger.destroy();
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
  await assert.rejects(callControl(path, { operation: "status" }), ControlError);
});
