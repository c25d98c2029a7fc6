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

test("admitPod() refuses settings of the kernel that are not the pod's own", () => {
  const withSysctl = (name: string, spec: Partial<Pod["spec"] & object> = {}): Pod => {
    const containers = [{ name: "c", image: "i" }];
    return {
      metadata: { uid: "a" },
      spec: { containers, securityContext: { sysctls: [{ name, value: "1" }] }, ...spec },
    };
  };
  const cases = [
    [withSysctl("kernel.shm_rmid_forced"), undefined],
    [withSysctl("net/ipv4/tcp_syncookies"), undefined],
    [withSysctl("kernel.msgmax"), 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
    [
      withSysctl("net.ipv4.tcp_syncookies", { hostNetwork: true }),
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
    ],
  ] as const;
  for (const [pod, why] of cases) {
    const expected = why === undefined ? undefined : { reason: "SysctlForbidden", message: `Pod was rejected: ${why}` };
    assert.deepEqual(admitPod(pod, [], node), expected);
  }
});
