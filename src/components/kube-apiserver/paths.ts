/** The paths that are no resources: health, version, metrics. */
import { arch } from "node:process";
import type { PathHandler } from "./handler.ts";
import type { Answer } from "./http/exchange.ts";

/** A named part of the server's health; it gives the reason when it is not well. */
export interface HealthCheck {
  readonly name: string;
  check(): string | undefined;
}

export interface PathOptions {
  readonly version: string;
  /** All that are served, for the list of paths. */
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
  /** Served elsewhere, asked last. */
  readonly others: readonly PathHandler[];
  /** What must hold for a live server, and for one that is ready. */
  readonly checks: readonly HealthCheck[];
  metrics(): Promise<string>;
  readonly metricsContentType: string;
}

export function createPaths(options: PathOptions): PathHandler {
  const version = JSON.stringify(versionInfo(options.version), undefined, 2);
  const index = JSON.stringify({ paths: pathsOf(options) }, undefined, 2);
  return (info, request) => {
    switch (info.path) {
      case "/":
        return { code: 200, body: index, contentType: "application/json" };
      case "/version":
      case "/version/":
        return { code: 200, body: version, contentType: "application/json" };
      case "/metrics":
        return options.metrics().then((body) => ({ code: 200, body, contentType: options.metricsContentType }));
      default:
        return health(options.checks, info.path, info.query) ?? firstAnswer(options.others, info, request);
    }
  };
}

/** What `kubectl get --raw /` lists. */
function pathsOf({ groupVersions, checks }: PathOptions): readonly string[] {
  const groups = groupVersions.flatMap(({ group, version }) =>
    group === "" ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`],
  );
  const parts = ["/healthz", "/livez", "/readyz"].flatMap((path) => [
    path,
    ...checks.map(({ name }) => `${path}/${name}`),
  ]);
  const others = [
    "/.well-known/openid-configuration",
    "/api",
    "/apis",
    "/apis/",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
  ];
  return [...new Set([...groups, ...parts, ...others, "/openapi/v3/", "/openid/v1/jwks", "/version"])].toSorted();
}

function firstAnswer(
  handlers: readonly PathHandler[],
  ...[info, request]: Parameters<PathHandler>
): ReturnType<PathHandler> {
  for (const handler of handlers) {
    const answer = handler(info, request);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** `/readyz`, `/readyz?verbose`, `/readyz?exclude=etcd`, `/readyz/etcd`: upstream's forms. */
function health(checks: readonly HealthCheck[], path: string, query: URLSearchParams): Answer | undefined {
  const [, endpoint, ...rest] = path.split("/");
  if (!["healthz", "livez", "readyz"].includes(endpoint ?? "")) return undefined;
  const name = rest.length === 0 ? undefined : rest.join("/");
  const chosen = name === undefined ? checks : checks.filter((check) => check.name === name);
  if (chosen.length === 0) return undefined;
  const excluded = query.getAll("exclude");
  const results = chosen.map((check) => ({
    name: check.name,
    problem: excluded.includes(check.name) ? undefined : check.check(),
    isExcluded: excluded.includes(check.name),
  }));
  const failed = results.filter(({ problem }) => problem !== undefined);
  const lines = results.map((result) => {
    if (result.isExcluded) return `[+]${result.name} excluded: ok`;
    return result.problem === undefined ? `[+]${result.name} ok` : `[-]${result.name} failed: ${result.problem}`;
  });
  const contentType = "text/plain; charset=utf-8";
  const headers = { "x-content-type-options": "nosniff" };
  if (failed.length > 0)
    return { code: 500, body: `${lines.join("\n")}\n${endpoint} check failed\n`, contentType, headers };
  const isTold = query.has("verbose") && name === undefined;
  if (!isTold) return { code: 200, body: "ok", contentType, headers };
  return { code: 200, body: `${lines.join("\n")}\n${endpoint} check passed\n`, contentType, headers };
}

function versionInfo(gitVersion: string): Readonly<Record<string, string>> {
  const [, major = "", minor = ""] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: `node${process.versions.node}`,
    compiler: "v8",
    platform: `linux/${arch === "x64" ? "amd64" : arch}`,
  };
}
