/** A cluster's life: made, ended. */
import { clusterDefaults } from "../../model/cluster-plan/index.ts";
import { clusterCommand, type CommandGroup, duration, wholeNumber } from "./command-line.ts";

export const addLifeCommands: CommandGroup = (program, { progress, signal }) => {
  clusterCommand(program, "up", "make a cluster and wait until it serves")
    .option("--nodes <n>", "how many nodes", wholeNumber, clusterDefaults.nodes)
    .option("--wait <duration>", "how long to wait for nodes and DNS; 0 does not wait", duration, 60_000)
    .option("--api-port <port>", "the API's port on 127.0.0.1; the first free one from 6443 where absent", wholeNumber)
    .option("--pod-cidr <range>", "addresses of the pods, a /24 per node", clusterDefaults.podCidr)
    .option("--service-cidr <range>", "addresses of the Services", clusterDefaults.serviceCidr)
    .option("--node-cidr <range>", "addresses of the nodes", clusterDefaults.nodeCidr)
    .option("--outside-cidr <range>", "addresses of the client beyond the cluster", clusterDefaults.outsideCidr)
    .option("--cluster-domain <name>", "the DNS name under which Services live", clusterDefaults.clusterDomain)
    .option("--node-port-range <first-last>", "ports of NodePort Services", clusterDefaults.nodePortRange)
    .option("--images <sources>", "where images come from", clusterDefaults.images)
    .option("--agents <n>", "how many processes share the nodes", wholeNumber, 1)
    .option("--kubeconfig <file>", "the kubeconfig to merge the context into")
    .action(async ({ wait, ...options }: Record<string, never> & { wait: number }) => {
      const { up } = await import("../up.ts");
      await up({ ...options, waitMs: wait === 0 ? undefined : wait }, progress, signal);
    });
  clusterCommand(program, "down", "end a cluster and remove every trace of it").action(
    async ({ name }: { name: string }) => {
      const { down } = await import("../down.ts");
      await down(name, progress);
    },
  );
};
