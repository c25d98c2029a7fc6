import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "../../api/generated/types.ts";
import { oomScoreAdjust } from "./index.ts";

const gibibyte = 1024 ** 3;

function pod(options: {
  readonly qosClass?: "Guaranteed" | "Burstable" | "BestEffort";
  readonly memory?: string;
  readonly priorityClassName?: string;
  readonly initContainers?: readonly Container[];
}): Pod {
  const { qosClass, memory, priorityClassName, initContainers = [] } = options;
  return {
    metadata: { name: "web" },
    spec: {
      containers: [{ name: "web", ...(memory === undefined ? {} : { resources: { requests: { memory } } }) }],
      initContainers: [...initContainers],
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
    },
    ...(qosClass === undefined ? {} : { status: { qosClass } }),
  };
}

const adjustOf = (of: Pod, index = 0): number | undefined => {
  const container = [...(of.spec?.containers ?? []), ...(of.spec?.initContainers ?? [])][index];
  assert.ok(container);
  return oomScoreAdjust(of, container, 8 * gibibyte);
};

const cases: readonly (readonly [string, Pod, number | undefined])[] = [
  ["a Guaranteed pod last", pod({ qosClass: "Guaranteed", memory: "1Gi" }), -997],
  ["a BestEffort pod first", pod({ qosClass: "BestEffort" }), 1000],
  ["a Burstable one by its share of the node", pod({ qosClass: "Burstable", memory: "4Gi" }), 500],
  ["a Burstable one without a memory request just after", pod({ qosClass: "Burstable" }), 999],
  ["a Burstable one of a small request likewise", pod({ qosClass: "Burstable", memory: "1Mi" }), 999],
  ["a Burstable one that asks for all just before Guaranteed ones", pod({ qosClass: "Burstable", memory: "8Gi" }), 3],
  ["a part of a point not at all", pod({ qosClass: "Burstable", memory: "100Mi" }), 988],
  ["what the node needs last", pod({ qosClass: "BestEffort", priorityClassName: "system-node-critical" }), -997],
  [
    "what the cluster needs like others",
    pod({ qosClass: "BestEffort", priorityClassName: "system-cluster-critical" }),
    1000,
  ],
  ["nothing that has no class yet", pod({}), undefined],
];
for (const [what, of, expected] of cases) {
  test(`oomScoreAdjust() counts ${what}`, () => assert.equal(adjustOf(of), expected));
}

test("oomScoreAdjust() lets a sidecar go no sooner than the containers of its pod, and other init containers by their own", () => {
  const initContainers: readonly Container[] = [
    { name: "sidecar", restartPolicy: "Always" },
    { name: "large-sidecar", restartPolicy: "Always", resources: { requests: { memory: "6Gi" } } },
    { name: "init" },
  ];
  const of = pod({ qosClass: "Burstable", memory: "4Gi", initContainers });
  assert.deepEqual(
    [1, 2, 3].map((index) => adjustOf(of, index)),
    [500, 250, 999],
  );
});
