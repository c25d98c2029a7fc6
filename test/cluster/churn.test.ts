/** What comes and goes leaves nothing in a cluster that runs on: counted, where `npm run bench -- churn` also weighs. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { eventually, kernelState, type Lab, labProcesses, makeLab } from "./lab/index.ts";

const nodes = ["node-1", "node-2", "node-3"];
let lab: Lab;

before(async () => {
  lab = makeLab();
  const up = await lab.netloom(["up"]);
  assert.equal(up.code, 0, up.stderr);
});
after(async () => await lab.end());

/** Three pods behind a Service, with probes, a mounted ConfigMap and somebody who looks in; then all is deleted. */
async function round(number: number): Promise<void> {
  const namespace = `round-${number}`;
  const manifests = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "settings" }, data: { color: "red" } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { namespace, name: "web" },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            terminationGracePeriodSeconds: 0,
            volumes: [{ name: "settings", configMap: { name: "settings" } }],
            containers: [
              {
                name: "web",
                image: "nginx",
                volumeMounts: [{ name: "settings", mountPath: "/settings" }],
                readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 },
                livenessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace, name: "web" },
      spec: { type: "NodePort", selector: { app: "web" }, ports: [{ port: 80 }] },
    },
  ];
  const kubectl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await lab.kubectl(["-n", namespace, ...args], {
      input: manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"),
    });
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await kubectl("apply", "-f", "-");
  await kubectl("rollout", "status", "deployment/web", "--timeout=40s");
  assert.equal(await kubectl("exec", "deployment/web", "--", "cat", "/settings/color"), "red");
  await kubectl("exec", "deployment/web", "--", "wget", "-qO-", "http://web");
  await kubectl("logs", "deployment/web");
  await kubectl("delete", "namespace", namespace, "--timeout=40s");
}

async function counts(): Promise<unknown> {
  const all = labProcesses(lab);
  const pidOf = (isIt: (words: readonly string[]) => boolean): number => all.find(({ words }) => isIt(words))?.pid ?? 0;
  const init = pidOf(([command = ""]) => command.endsWith("tini"));
  const openFiles = (word: string): number =>
    readdirSync(`/proc/${pidOf((words) => words[0]?.endsWith("node") === true && words.includes(word))}/fd`).length;
  const state = await kernelState(lab, nodes);
  return {
    processes: all.length,
    mounts: readFileSync(`/proc/${init}/mounts`, "utf8").split("\n").length,
    // Which number the next service gets, and on which nodes packets to the API and to DNS were counted, are no leftovers.
    kernel: Object.fromEntries(
      Object.entries(state).map(([name, lines]) => [name, lines.filter((l) => !/counter|^0x|^elements =$/.test(l))]),
    ),
    serverFiles: openFiles("server"),
    agentFiles: openFiles("agent"),
  };
}

test("namespaces with pods, Services, probes and visitors that come and go leave a running cluster as it was", async () => {
  await round(0);
  let first: unknown;
  // What the first one left behind for a moment only.
  await eventually(async () => {
    first = await counts();
    assert.deepEqual(await counts(), first);
  });
  for (const number of [1, 2, 3]) await round(number);
  await eventually(async () => assert.deepEqual(await counts(), first));
});
