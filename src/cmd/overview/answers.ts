/** What may be asked over the Unix sockets of server and agents, and what is answered: a line of JSON each way. */
import type { Node, Pod, Service } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import type { ApiClient } from "../../client/index.ts";
import type { NamespaceCounts } from "../../components/lab-inspection/index.ts";
import { desiredPorts, type PublishedPort } from "../../components/published-ports/index.ts";
import { hostPort } from "../../lib/ip/index.ts";
import type { NodeList } from "../../machinery/node-list.ts";
import type { NodeConfig } from "../../model/cluster-config.ts";

export interface NodeOverview {
  readonly name: string;
  /** As kubectl words it: "Ready", "NotReady,SchedulingDisabled". */
  readonly status: string;
  readonly pods: number;
}

export interface PortOverview {
  /** "127.60.0.1:31080". */
  readonly host: string;
  readonly protocol: "TCP" | "UDP";
  /** The node's or the Service's address and port. */
  readonly cluster: string;
  /** "default/web:80". */
  readonly service: string;
}

export type OverviewQuestion =
  | { readonly about: "nodes" }
  /** Without a namespace: of all. */
  | { readonly about: "ports"; readonly namespace?: string }
  /** An agent's to know, of the nodes it carries. */
  | { readonly about: "kernel" };

/** By what a question is about. */
export interface OverviewAnswers {
  readonly nodes: readonly NodeOverview[];
  readonly ports: readonly PortOverview[];
  readonly kernel: readonly NamespaceCounts[];
}

/** Instead of an answer, where the line was no question, or one for another process. */
export interface OverviewRefusal {
  readonly error: string;
}

export type OverviewAnswer = OverviewAnswers[keyof OverviewAnswers];

/** Undefined where the line is not a question: a stranger's line must not end the server. */
export function parseQuestion(line: string): OverviewQuestion | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("about" in value)) return undefined;
  if (value.about === "nodes" || value.about === "kernel") return { about: value.about };
  if (value.about !== "ports") return undefined;
  const { namespace } = value as { readonly namespace?: unknown };
  if (namespace === undefined) return { about: "ports" };
  return typeof namespace === "string" ? { about: "ports", namespace } : undefined;
}

/** What the server knows. */
export function answerOfServer(options: {
  /** The administrator's. */
  readonly client: ApiClient;
  readonly nodes: NodeList;
}): (question: OverviewQuestion) => Promise<OverviewAnswer | undefined> {
  const { client, nodes } = options;
  return async (question) => {
    if (question.about === "nodes") {
      const [known, pods] = await Promise.all([client.list(resources.nodes), client.list(resources.pods)]);
      return describeNodes(known.items, pods.items);
    }
    if (question.about !== "ports") return undefined;
    const { namespace } = question;
    const services = await client.list(resources.services, namespace === undefined ? {} : { namespace });
    return describePorts(services.items, nodes.current);
  };
}

function describeNodes(nodes: readonly Node[], pods: readonly Pod[]): readonly NodeOverview[] {
  const counts = new Map<string, number>();
  for (const { spec } of pods) counts.set(spec?.nodeName ?? "", (counts.get(spec?.nodeName ?? "") ?? 0) + 1);
  return nodes.map((node) => {
    const name = node.metadata?.name ?? "";
    return { name, status: nodeStatus(node), pods: counts.get(name) ?? 0 };
  });
}

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${ready},SchedulingDisabled` : ready;
}

/** In the order in which they are published. */
function describePorts(services: readonly Service[], nodes: readonly NodeConfig[]): readonly PortOverview[] {
  const byName = new Map(services.map((one) => [`${one.metadata?.namespace}/${one.metadata?.name}`, one]));
  return [...desiredPorts(services, nodes).values()].map((port) => describePort(port, byName.get(port.service)));
}

function describePort({ service, protocol, listen, target }: PublishedPort, object: Service | undefined): PortOverview {
  const port = object?.spec?.ports?.find(
    (one) => target.port === (target.from === "outside" ? one.nodePort : one.port),
  );
  return {
    host: hostPort(listen.host, listen.port),
    protocol,
    cluster: hostPort(target.address, target.port),
    service: port === undefined ? service : `${service}:${port.port}`,
  };
}
