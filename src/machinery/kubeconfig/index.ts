/** Kubeconfig files: how a client finds a cluster and proves who it is. */
import { readFileSync } from "node:fs";
import { isAbsolute, join, dirname } from "node:path";
import { KubeconfigError } from "./types.ts";
import type { Kubeconfig } from "./types.ts";

export { inClusterKubeconfig } from "./in-cluster.ts";
export { KubeconfigError } from "./types.ts";
export type { Kubeconfig } from "./types.ts";

/** A whole kubeconfig of one context, named after the cluster; certificates and key (PEM) are embedded. */
export function kubeconfigText(options: {
  readonly cluster: string;
  readonly user: string;
  readonly server: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}): string {
  const cluster = JSON.stringify(options.cluster);
  const user = JSON.stringify(options.user);
  return `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${options.server}
    certificate-authority-data: ${base64(options.ca)}
users:
- name: ${user}
  user:
    client-certificate-data: ${base64(options.certificate)}
    client-key-data: ${base64(options.key)}
contexts:
- name: ${cluster}
  context:
    cluster: ${cluster}
    user: ${user}
current-context: ${cluster}
`;
}

/** The text above, which every process of a cluster reads at its start: the parser for any YAML takes 15 ms to load. */
const ownForm =
  /^apiVersion: v1\nkind: Config\nclusters:\n- name: .+\n {2}cluster:\n {4}server: (?<server>\S+)\n {4}certificate-authority-data: (?<ca>\S+)\nusers:\n- name: .+\n {2}user:\n {4}client-certificate-data: (?<certificate>\S+)\n {4}client-key-data: (?<key>\S+)\ncontexts:\n- name: .+\n {2}context:\n {4}cluster: .+\n {4}user: .+\ncurrent-context: .+\n$/;

function readOwnForm(text: string): Kubeconfig | undefined {
  const fields = ownForm.exec(text)?.groups;
  if (fields === undefined) return undefined;
  const decoded = (name: string): string => Buffer.from(fields[name] ?? "", "base64").toString();
  return {
    server: fields["server"] ?? "",
    namespace: "default",
    skipsVerification: false,
    ca: decoded("ca"),
    certificate: decoded("certificate"),
    key: decoded("key"),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads the file's current context. Throws `KubeconfigError`. */
export async function readKubeconfig(path: string): Promise<Kubeconfig> {
  const fail = (why: string): KubeconfigError => new KubeconfigError(`Cannot use the kubeconfig "${path}": ${why}`);
  let document: Fields;
  try {
    const text = readFileSync(path, "utf8");
    const own = readOwnForm(text);
    if (own !== undefined) return own;
    const { parse } = await import("yaml");
    document = fieldsOf(parse(text));
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error));
  }
  const entry = (list: string, name: unknown, part: string): Fields => {
    const entries = Array.isArray(document[list]) ? (document[list] as unknown[]).map(fieldsOf) : [];
    const found = entries.find((candidate) => candidate["name"] === name);
    if (found === undefined) throw fail(`${list} has no entry named ${JSON.stringify(name) ?? "(none)"}`);
    return fieldsOf(found[part]);
  };
  const context = entry("contexts", document["current-context"], "context");
  const cluster = entry("clusters", context["cluster"], "cluster");
  const user = entry("users", context["user"], "user");
  const server = textOf(cluster["server"]);
  if (server === undefined) throw fail("the cluster has no server");
  const embedded = (fields: Fields, name: string): string | undefined => {
    const data = textOf(fields[`${name}-data`]);
    if (data !== undefined) return Buffer.from(data, "base64").toString();
    const file = textOf(fields[name]);
    if (file === undefined) return undefined;
    return readFileSync(isAbsolute(file) ? file : join(dirname(path), file), "utf8");
  };
  const tokenFile = textOf(user["tokenFile"]);
  const token = textOf(user["token"]) ?? (tokenFile === undefined ? undefined : readFileSync(tokenFile, "utf8").trim());
  return {
    server,
    namespace: textOf(context["namespace"]) ?? "default",
    skipsVerification: cluster["insecure-skip-tls-verify"] === true,
    ...defined("ca", embedded(cluster, "certificate-authority")),
    ...defined("certificate", embedded(user, "client-certificate")),
    ...defined("key", embedded(user, "client-key")),
    ...defined("token", token),
    ...defined("serverName", textOf(cluster["tls-server-name"])),
  };
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function defined<Name extends string>(name: Name, value: string | undefined): { [key in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: string };
}
