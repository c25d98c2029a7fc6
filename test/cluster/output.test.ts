/** What containers say is in their logs, whichever of their keepers is killed at once. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually, type LabProcess, labProcesses, makeLab } from "./lab/index.ts";

const manifests = `
apiVersion: v1
kind: Pod
metadata: {name: chatter}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: chatter, image: busybox, command: [sh, -c, 'i=0; while true; do i=$((i+1)); echo -n "line "; sleep 0.01; echo $i; done']}]
---
apiVersion: v1
kind: Pod
metadata: {name: ending}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers: [{name: ending, image: busybox, command: [sh, -c, 'trap "echo last words; exit 0" USR1; echo ready; while true; do sleep 0.01; done']}]
`;

describe("the output of a container", () => {
  const lab = makeLab();
  const must = async (answer: Promise<{ code: number; stdout: string; stderr: string }>): Promise<string> => {
    const { code, stdout, stderr } = await answer;
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const logOf = async (pod: string): Promise<string> => await must(lab.kubectl(["logs", pod]));
  before(async () => {
    await must(lab.netloom(["up", "--nodes", "1"]));
    await must(lab.kubectl(["apply", "-f", "-"], { input: manifests }));
    await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/chatter", "pod/ending", "--timeout=30s"]));
  });
  after(async () => await lab.end());

  const find = (isIt: (process: LabProcess) => boolean): LabProcess => {
    const found = labProcesses(lab).find(isIt);
    assert.ok(found !== undefined);
    return found;
  };
  const isMonitorOf = (name: string) => (process: LabProcess) =>
    /(^|\/)conmon$/.test(process.words[0] ?? "") &&
    process.words.some((word) => word.startsWith(`${name}_`) || word === name);
  const isAgent = ({ words }: LabProcess): boolean => words.includes("agent");
  const kill = (...processes: readonly LabProcess[]): void => {
    for (const { pid } of processes) process.kill(pid, "SIGKILL");
  };

  test("is whole when its monitor is killed and its agent is, again and again", async () => {
    kill(find(isMonitorOf("chatter")), find(isAgent));
    for (let round = 0; round < 3; round += 1) {
      const former = (await eventually(async () => await logOf("chatter"))).length;
      await eventually(async () => assert.ok((await logOf("chatter")).length > former + 500));
      if (round < 2) kill(find(isAgent));
    }
    const lines = (await logOf("chatter")).split("\n").slice(0, -1);
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${index + 1}`),
    );
  });

  test("has its last words when it ends with nobody there to hear them", async () => {
    const [monitor, agent] = [find(isMonitorOf("ending")), find(isAgent)];
    const container = find(({ parent }) => parent === monitor.pid);
    kill(agent, monitor);
    process.kill(container.pid, "SIGUSR1");
    await eventually(async () => assert.equal(await logOf("ending"), "ready\nlast words\n"));
    await eventually(async () =>
      assert.equal(await must(lab.kubectl(["get", "pod", "ending", "-o", "jsonpath={.status.phase}"])), "Failed"),
    );
  });
});
