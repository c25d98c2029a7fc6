import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/generated/types.ts";
import { admitPod } from "./admission.ts";

const node = { cpu: 1000, memory: 1e9, pods: 10 };

function podWithPort(uid: string, port: { readonly hostIP?: string; readonly protocol?: string }): Pod {
  const ports = [{ containerPort: 80, hostPort: 8080, ...port }];
  return { metadata: { uid, name: uid }, spec: { containers: [{ name: "c", image: "i", ports }] } };
}

test("admitPod() refuses a host port that another pod has, at an address both listen on", () => {
  const refused = { reason: "NodePorts", message: "Pod was rejected: Predicate NodePorts failed" };
  const first = podWithPort("first", { hostIP: "127.0.0.1" });
  const cases = [
    [podWithPort("same", { hostIP: "127.0.0.1" }), refused],
    [podWithPort("everywhere", {}), refused],
    [podWithPort("another address", { hostIP: "192.168.60.11" }), undefined],
    [podWithPort("another protocol", { hostIP: "127.0.0.1", protocol: "UDP" }), undefined],
  ] as const;
  for (const [pod, expected] of cases) assert.deepEqual(admitPod(pod, [first], node), expected, pod.metadata?.uid);
});

test("admitPod() does not count the pod itself among the others", () => {
  const pod = podWithPort("first", {});
  assert.equal(admitPod(pod, [pod], node), undefined);
});
