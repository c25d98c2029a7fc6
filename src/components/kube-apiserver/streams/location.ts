/** Where the kubelet serves what a client asks of a pod. */
import type { Container, Pod } from "../../../api/generated/types.ts";
import { badRequest } from "../../../api/status.ts";
import { isTrue } from "../request-info.ts";

export interface KubeletLocation {
  readonly node: string;
  /** With the query. */
  readonly path: string;
}

const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

/** Throws `ApiError` 400 when the pod has no node yet or the container cannot be told. */
export function kubeletLocation(pod: Pod, subresource: string, query: URLSearchParams): KubeletLocation {
  const { name = "", namespace = "" } = pod.metadata ?? {};
  const node = pod.spec?.nodeName ?? "";
  const at = (path: string, parameters: URLSearchParams): KubeletLocation => {
    if (node === "") throw badRequest(`pod ${name} does not have a host assigned`);
    const text = parameters.toString();
    return { node, path: text === "" ? path : `${path}?${text}` };
  };
  const container = (): string => encodeURIComponent(containerOf(pod, query.get("container") ?? ""));
  switch (subresource) {
    case "log":
      return at(`/containerLogs/${namespace}/${name}/${container()}`, logParameters(query));
    case "portforward":
      return at(`/portForward/${namespace}/${name}`, only(query, ["ports"]));
    default:
      return at(`/${subresource}/${namespace}/${name}/${container()}`, streamParameters(query));
  }
}

/** The kubelet has other words for the three streams. */
function streamParameters(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams();
  const flags = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;
  for (const [ours, kubelets] of Object.entries(flags)) {
    if (query.has(ours) && isTrue(query.get(ours))) parameters.set(kubelets, "1");
  }
  for (const argument of query.getAll("command")) parameters.append("command", argument);
  return parameters;
}

const logFlags = ["follow", "previous", "timestamps"] as const;
const logValues = ["sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream"] as const;

function logParameters(query: URLSearchParams): URLSearchParams {
  const parameters = only(query, logValues);
  for (const flag of logFlags) if (query.has(flag) && isTrue(query.get(flag))) parameters.set(flag, "true");
  return parameters;
}

function only(query: URLSearchParams, names: readonly string[]): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of names) for (const value of query.getAll(name)) parameters.append(name, value);
  return parameters;
}

function containerOf({ metadata, spec }: Pod, wanted: string): string {
  const names = (containers: readonly Pick<Container, "name">[] | undefined): string[] =>
    (containers ?? []).map((container) => container.name);
  const main = names(spec?.containers);
  const all = [...names(spec?.initContainers), ...main, ...names(spec?.ephemeralContainers)];
  const pod = metadata?.name ?? "";
  if (wanted !== "") {
    if (!all.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${pod}`);
    return wanted;
  }
  const marked = metadata?.annotations?.[defaultContainerAnnotation];
  if (marked !== undefined && all.includes(marked)) return marked;
  const [first, ...others] = main;
  if (first !== undefined && others.length === 0) return first;
  const init = names(spec?.initContainers);
  const extra = init.length === 0 ? "" : ` or one of the init containers: [${init.join(" ")}]`;
  throw badRequest(`a container name must be specified for pod ${pod}, choose one of: [${main.join(" ")}]${extra}`);
}
