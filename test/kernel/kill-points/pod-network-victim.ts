/** The victim of pod-network-crash.test.ts: attaches or detaches one pod, and dies before the n-th call that changes something. */
import { dieAt, passedPoints } from "./kill-points.ts";

const [action, at, folder, dir = ""] = process.argv.slice(2);
// What is tested must see the patched modules.
const { createPodNetwork } = await import("../../../src/components/cni/index.ts");
const { openNetworkNamespace } = await import("../../../src/kernel/netns/index.ts");
const { silentLogger } = await import("../../../src/machinery/log.ts");
const { clusterPaths } = await import("../../../src/model/cluster-config.ts");
const { labConfig } = await import("../lab-config.ts");

const config = labConfig(dir);
const [node] = config.nodes;
if (node === undefined) throw new Error("there is no node");
const network = createPodNetwork({
  config,
  node,
  nodeNamespace: openNetworkNamespace(`${clusterPaths(config).netns}/${node.name}`),
  stateDir: folder ?? "",
  log: silentLogger,
});
const pod = { namespace: "default", name: "victim", uid: "victim" };
dieAt(Number(at));
if (action === "attach") await network.attach(pod);
else await network.detach(pod);
const passed = passedPoints();
dieAt(Number.POSITIVE_INFINITY);
process.stdout.write(`${passed}\n`);
process.exit(0);
