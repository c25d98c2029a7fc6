/** Notices nodes that have gone silent: their conditions, their taints, and the readiness of their pods. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import { planNode } from "../../model/node-lifecycle/index.ts";
import type { NodePlan, Sighting } from "../../model/node-lifecycle/index.ts";
import { isPodReady, podCondition } from "../../model/workload/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey } from "./keys.ts";

const leaseNamespace = "kube-node-lease";

export const createNodeLifecycleController: CreateController = (context) => {
  const { clock, config, informers } = context;
  const { nodes, leases, pods } = informers;
  const recorder = context.recorder("node-controller");
  const sightings = new Map<string, Sighting>();
  /** Nodes whose pods were marked since the node was last ready. */
  const marked = new Set<string>();
  const reconciler = reconcilerOf(context, {
    name: "node-lifecycle",
    waitFor: [nodes, leases, pods],
    concurrency: 5,
    reconcile: async (name) => {
      const node = nodes.store.get(name);
      if (node === undefined) {
        sightings.delete(name);
        marked.delete(name);
        return undefined;
      }
      const plan = planNode({
        node,
        lease: leases.store.get(`${leaseNamespace}/${name}`),
        sighting: sightings.get(name),
        gracePeriodMs: config.nodeMonitorGracePeriodMs,
        startupGracePeriodMs: config.nodeStartupGracePeriodMs,
        now: clock.now(),
      });
      sightings.set(name, plan.sighting);
      await writeNode(context, { node, plan, recorder });
      if (plan.isReady) marked.delete(name);
      else if (!marked.has(name)) {
        await markPodsNotReady(context, { name, recorder });
        marked.add(name);
      }
      return { requeueAfterMs: Math.min(plan.lookAgainAfterMs ?? Infinity, config.nodeMonitorPeriodMs) };
    },
  });
  reconciler.on(nodes, ownKey);
  reconciler.on(leases, ({ current }) =>
    current?.metadata?.namespace === leaseNamespace ? [current.metadata.name ?? ""] : [],
  );
  return reconciler;
};

async function writeNode(
  { client, informers }: ControllerContext,
  { node, plan, recorder }: { readonly node: Node; readonly plan: NodePlan; readonly recorder: EventRecorder },
): Promise<void> {
  let current = node;
  if (plan.conditions !== undefined) {
    const status = { ...node.status, conditions: plan.conditions };
    current = await client.update(resources.nodes, { ...node, status }, { subresource: "status" });
    informers.nodes.observe(current);
    recorder.event(referenceTo(resources.nodes, node), {
      type: "Normal",
      reason: "NodeNotReady",
      message: `Node ${node.metadata?.name} status is now: NodeNotReady`,
    });
  }
  if (plan.taints === undefined) return;
  const spec = { ...current.spec, taints: plan.taints };
  informers.nodes.observe(await client.update(resources.nodes, { ...current, spec }));
}

/** The kubelet cannot say so any more; Services must stop sending to them. */
async function markPodsNotReady(
  context: ControllerContext,
  { name, recorder }: { readonly name: string; readonly recorder: EventRecorder },
): Promise<void> {
  const { clock, informers } = context;
  const lastTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const onNode = informers.pods.store.byIndex("node", name).filter(isPodReady);
  await Promise.all(
    onNode.map(async (pod) => {
      await markNotReady(context, pod, lastTransitionTime);
      recorder.event(referenceTo(resources.pods, pod), {
        type: "Warning",
        reason: "NodeNotReady",
        message: "Node is not ready",
      });
    }),
  );
}

async function markNotReady(
  { client, informers }: ControllerContext,
  pod: Pod,
  lastTransitionTime: string,
): Promise<void> {
  const condition = { ...podCondition(pod, "Ready"), type: "Ready", status: "False", lastTransitionTime };
  const body = { metadata: { uid: pod.metadata?.uid }, status: { conditions: [condition] } };
  const write = client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
  if (await whereItStillIs(write)) informers.pods.observe(await write);
}
