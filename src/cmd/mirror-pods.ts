/** The pods of kube-system that honestly show the control plane: its parts run in the server process, not in containers. */
import { join } from "node:path";
import type { Pod } from "../api/generated/types.ts";
import type { MirrorPod } from "../components/kubelet/index.ts";
import { type ClusterConfig, clusterPaths, type NodeConfig } from "../model/cluster-config.ts";
import { kubernetesVersion } from "./version.ts";

const parts = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

export function controlPlaneMirrorPods(
  config: ClusterConfig,
  node: NodeConfig,
  startedAtMs: number,
): readonly MirrorPod[] {
  const logFile = join(clusterPaths(config).logs, "server.log");
  return parts.map((component) => ({ pod: mirrorPod(component, config, node), startedAtMs, logFile }));
}

function mirrorPod(component: string, config: ClusterConfig, node: NodeConfig): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${component}-${node.name}`,
      namespace: "kube-system",
      labels: { component, tier: "control-plane" },
      annotations: { "netloom.dev/runs-in": `the server process of cluster ${config.name}` },
    },
    spec: {
      hostNetwork: true,
      nodeName: node.name,
      priorityClassName: "system-node-critical",
      tolerations: [{ operator: "Exists", effect: "NoExecute" }],
      containers: [{ name: component, image: `netloom/${component}:${kubernetesVersion.replace("+", "-")}` }],
    },
  };
}
