import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { nodeState } from "./node-state.ts";
import { volumeFilter, volumesOfPod } from "./volumes.ts";

const pod: Pod = {
  metadata: { namespace: "default", name: "web" },
  spec: { containers: [], volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] },
};
const claim = (volumeName?: string, storageClassName = "late"): PersistentVolumeClaim => ({
  metadata: { namespace: "default", name: "data" },
  spec: { storageClassName, ...(volumeName === undefined ? {} : { volumeName }) },
});
const terms = [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-2"] }] }];
const volume: PersistentVolume = {
  metadata: { name: "v" },
  spec: { nodeAffinity: { required: { nodeSelectorTerms: terms } } },
};

function volumesWith(present: PersistentVolumeClaim | undefined) {
  return volumesOfPod(pod, {
    claim: () => present,
    volume: (name) => (name === "v" ? volume : undefined),
    storageClass: (name) => ({
      provisioner: "p",
      volumeBindingMode: name === "late" ? "WaitForFirstConsumer" : "Immediate",
    }),
  });
}

const problems: readonly (readonly [string, PersistentVolumeClaim | undefined, string | undefined])[] = [
  ["without its claim", undefined, 'persistentvolumeclaim "data" not found'],
  ["whose claim waits for it", claim(), undefined],
  ["whose claim should be bound by now", claim(undefined, "soon"), "pod has unbound immediate PersistentVolumeClaims"],
  ["whose volume is gone", claim("other"), 'persistentvolume "other" not found'],
  ["whose claim is bound", claim("v"), undefined],
];

for (const [what, present, problem] of problems) {
  test(`volumesOfPod() judges a pod ${what}`, () => assert.equal(volumesWith(present).problem, problem));
}

test("volumeFilter() lets a pod go only where its volume is", () => {
  const filter = volumeFilter(volumesWith(claim("v")));
  const nodeNamed = (name: string) => nodeState({ metadata: { name, labels: { "kubernetes.io/hostname": name } } }, []);
  assert.equal(filter?.(pod, nodeNamed("node-2")), undefined);
  assert.deepEqual(filter?.(pod, nodeNamed("node-1"))?.reasons, ["node(s) had volume node affinity conflict"]);
});
