/** What a request is about, read from method and URL alone: the same words authorization, metrics and routing use. */

export interface RequestInfo {
  readonly isResource: boolean;
  /** Without the query. */
  readonly path: string;
  /** "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"; the HTTP method in lower case elsewhere. */
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** "" where the request names none. */
  readonly namespace: string;
  readonly name: string;
  /** What follows the subresource: the path behind a proxy, with its leading slash. */
  readonly rest: string;
  /** Not to be changed: requests without one share it. */
  readonly query: URLSearchParams;
}

const noQuery = new URLSearchParams();

/** Subresources of a namespace itself, which look like resources in it. */
const namespaceSubresources = new Set(["status", "finalize"]);
/** Any other word after these names belongs to the proxied server. */
const proxySubresource = "proxy";

/** A map, because clients choose the method: "constructor" must not find what every object has. */
const verbs: ReadonlyMap<string, string> = new Map([
  ["POST", "create"],
  ["GET", "get"],
  ["HEAD", "get"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** Reads any URL; what is no resource path comes back with `isResource` false. Throws nothing. */
export function requestInfoOf(method: string, url: string): RequestInfo {
  const mark = url.indexOf("?");
  const path = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? noQuery : new URLSearchParams(url.slice(mark + 1));
  const nothing = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "", rest: "" };
  const other = { isResource: false, path, verb: method.toLowerCase(), ...nothing, query };
  const segments = decoded(path);
  if (segments === undefined) return other;
  const [root, ...rest] = segments;
  const group = root === "apis" ? rest.shift() : "";
  const version = rest.shift();
  if ((root !== "api" && root !== "apis") || group === undefined || version === undefined) return other;
  let verb = verbs.get(method) ?? method.toLowerCase();
  // The old way to watch: /api/v1/watch/pods.
  if (rest[0] === "watch" && rest.length > 1) {
    rest.shift();
    verb = "watch";
  }
  if (rest.length === 0) return other;
  let namespace = "";
  const [first, second, third] = rest;
  if (first === "namespaces" && second !== undefined) {
    namespace = second;
    if (third !== undefined && !namespaceSubresources.has(third)) rest.splice(0, 2);
  }
  const [resource = "", name = "", subresource = ""] = rest;
  const isCollection = name === "";
  if (isCollection && verb === "get") verb = isTrue(query.get("watch")) ? "watch" : "list";
  if (isCollection && verb === "delete") verb = "deletecollection";
  return {
    isResource: true,
    path,
    verb,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    rest:
      subresource === proxySubresource ? restAfter(path, segments.length - rest.length + 3) : rest.slice(3).join("/"),
    query,
  };
}

/** Upstream's notion of a true parameter: what is there, and not "0" or "false". */
export function isTrue(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== "0" && value.toLowerCase() !== "false";
}

function decoded(path: string): string[] | undefined {
  const segments = path.split("/").filter((segment) => segment !== "");
  if (!path.includes("%")) return segments;
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined;
  }
}

/** The raw path after its first `count` segments, "" when nothing follows, "/" when only a slash does. */
function restAfter(path: string, count: number): string {
  let at = 0;
  for (let seen = 0; seen < count; seen += 1) {
    while (path[at] === "/") at += 1;
    const next = path.indexOf("/", at);
    if (next === -1) return "";
    at = next;
  }
  return path.slice(at);
}
