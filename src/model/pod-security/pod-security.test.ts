import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, PodSpec } from "../../api/generated/types.ts";
import { podSecurityPolicies, podSecurityViolations, podSecurityWarnings } from "./index.ts";

const container = (more: Partial<Container> = {}): Container => ({ name: "c", ...more });
const hardened: Container = container({
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  },
});

const cases: readonly (readonly [string, "baseline" | "restricted", PodSpec, string])[] = [
  ["a plain pod", "baseline", { containers: [container()] }, ""],
  ["a hardened pod", "restricted", { containers: [hardened] }, ""],
  [
    "added capabilities",
    "baseline",
    { containers: [container({ securityContext: { capabilities: { add: ["NET_ADMIN", "CHOWN"] } } })] },
    'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
  ],
  [
    "the host's files and processes",
    "baseline",
    { containers: [container()], hostPID: true, hostIPC: true, volumes: [{ name: "v", hostPath: { path: "/" } }] },
    'host namespaces (hostPID=true, hostIPC=true), hostPath volumes (volume "v")',
  ],
  [
    "the host's files, where more is wanted",
    "restricted",
    { containers: [hardened], volumes: [{ name: "v", hostPath: { path: "/" } }] },
    'restricted volume types (volume "v" uses restricted volume type "hostPath")',
  ],
  [
    "several containers",
    "baseline",
    {
      containers: [
        container({ name: "a", ports: [{ containerPort: 1, hostPort: 9 }] }),
        container({ name: "b", ports: [{ containerPort: 1, hostPort: 8 }] }),
      ],
    },
    'hostPort (containers "a", "b" use hostPorts 8, 9)',
  ],
  [
    "a sysctl of the node",
    "baseline",
    {
      containers: [container()],
      securityContext: {
        sysctls: [
          { name: "kernel.msgmax", value: "1" },
          { name: "net.ipv4.tcp_syncookies", value: "1" },
        ],
      },
    },
    "forbidden sysctls (kernel.msgmax)",
  ],
  [
    "root",
    "restricted",
    { containers: [hardened], securityContext: { runAsUser: 0 } },
    "runAsUser=0 (pod must not set runAsUser=0)",
  ],
  [
    "an init container that does not say that it is not root",
    "restricted",
    {
      containers: [hardened],
      initContainers: [
        { ...hardened, name: "i", securityContext: { ...hardened.securityContext, runAsNonRoot: false } },
      ],
    },
    'runAsNonRoot != true (container "i" must not set securityContext.runAsNonRoot=false)',
  ],
];
for (const [name, level, spec, expected] of cases) {
  test(`podSecurityViolations() at ${level} of ${name}`, () =>
    assert.equal(podSecurityViolations(level, spec), expected));
}

const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`;

test("podSecurityPolicies() reads labels, and warns of what is enforced where nobody says otherwise", () => {
  assert.equal(podSecurityPolicies(undefined).enforce.level, "privileged");
  const { enforce, audit, warn } = podSecurityPolicies({
    [label("enforce")]: "baseline",
    [label("enforce-version")]: "v1.30",
  });
  assert.deepEqual([enforce.text, audit.text, warn.text], ["baseline:v1.30", "privileged:latest", "baseline:v1.30"]);
});

test("podSecurityPolicies() enforces the strictest of what nobody can read, and tells each mistake", () => {
  const read = podSecurityPolicies({
    [label("enforce")]: "strict",
    [label("warn")]: "x",
    [label("audit-version")]: "1",
  });
  assert.deepEqual([read.enforce.level, read.warn.level], ["restricted", "privileged"]);
  assert.deepEqual(
    read.mistakes.map(({ field }) => field),
    ["enforce", "audit-version", "warn"].map((mode) => `metadata.labels[${label(mode)}]`),
  );
});

test("podSecurityWarnings() tells each kind of violation once, with the first pod of it", () => {
  const pod = (name: string, hostNetwork: boolean) => ({
    metadata: { name },
    spec: { hostNetwork, containers: [{ name: "c", image: "x" }] },
  });
  const { enforce } = podSecurityPolicies({ [label("enforce")]: "baseline" });
  assert.deepEqual(
    podSecurityWarnings("a", enforce, [pod("c", true), pod("b", true), pod("d", true), pod("e", false)]),
    [
      'existing pods in namespace "a" violate the new PodSecurity enforce level "baseline:latest"',
      "b (and 2 other pods): host namespaces",
    ],
  );
  assert.deepEqual(podSecurityWarnings("a", enforce, [pod("e", false)]), []);
});
