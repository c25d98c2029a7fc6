import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  callControl,
  type ClusterProgress,
  ControlError,
  followProgress,
  reportProgress,
  serveControl,
} from "./index.ts";

test("the control socket answers status, and follows what is reported, past milestones first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-control-"));
  const path = join(folder, "holder.sock");
  const progress: ClusterProgress[] = [{ step: "namespaces", atMs: 1 }];
  const followers = new Set<(progress: ClusterProgress) => void>();
  const server = await serveControl(path, {
    status: () => ({ components: [{ name: "server", pid: 7, restarts: 0, startedAtMs: 1 }], progress }),
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
