import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/generated/types.ts";
import { kubeletLocation } from "./location.ts";

function pod(containers: readonly string[], annotations: Record<string, string> = {}): Pod {
  return {
    metadata: { name: "web", namespace: "shop", annotations },
    spec: { nodeName: "node-1", containers: containers.map((name) => ({ name })) },
  };
}

test("exec is asked for in the kubelet's words", () => {
  const query = new URLSearchParams("command=ls&command=-l&stdin=true&stdout=true&stderr=false&tty=1&container=main");
  assert.deepEqual(kubeletLocation(pod(["main"]), "exec", query), {
    node: "node-1",
    path: "/exec/shop/web/main?input=1&output=1&tty=1&command=ls&command=-l",
  });
});

test("logs carry their options, ports theirs", () => {
  const logs = kubeletLocation(pod(["main"]), "log", new URLSearchParams("follow=true&tailLines=5&previous=false"));
  assert.equal(logs.path, "/containerLogs/shop/web/main?tailLines=5&follow=true");
  const ports = kubeletLocation(pod(["main"]), "portforward", new URLSearchParams("ports=80&ports=443"));
  assert.equal(ports.path, "/portForward/shop/web?ports=80&ports=443");
});

test("one of several containers must be named or marked", () => {
  const none = new URLSearchParams();
  assert.throws(
    () => kubeletLocation(pod(["a", "b"]), "log", none),
    /^ApiError: a container name must be specified for pod web, choose one of: \[a b\]$/,
  );
  const marked = pod(["a", "b"], { "kubectl.kubernetes.io/default-container": "b" });
  assert.equal(kubeletLocation(marked, "log", none).path, "/containerLogs/shop/web/b");
  assert.throws(
    () => kubeletLocation(pod(["a"]), "log", new URLSearchParams("container=x")),
    /container x is not valid for pod web/,
  );
});

test("a pod without a node cannot be reached", () => {
  const { spec: _spec, ...waiting } = pod([]);
  assert.throws(
    () => kubeletLocation({ ...waiting, spec: { containers: [{ name: "a" }] } }, "exec", new URLSearchParams()),
    /pod web does not have a host assigned/,
  );
});
