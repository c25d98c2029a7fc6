/** One HTTP request of a probe or a hook. */
import { request as httpRequest } from "node:http";
import { connect as tlsConnect } from "node:tls";
import type { Socket } from "node:net";
import type { HTTPGetAction } from "../../../api/generated/types.ts";
import { hostPort } from "../../../lib/ip/index.ts";
import { dialErrorText } from "../../../machinery/dial-error.ts";
import { resolvePort } from "./target.ts";
import type { ProbeResult, ProbeTarget } from "./target.ts";

/** As much of an answer as an event quotes, and not more than is worth reading. */
const longestBody = 10 * 1024;

/** Success is any status from 200 to 399. Certificates are not verified, as upstream's probes do not. */
export async function httpGet(action: HTTPGetAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const port = resolvePort(target.container, action.port);
  if (port === undefined) return failed(`couldn't find port: ${action.port}`);
  const host = action.host ?? target.podIp;
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = `/${(action.path ?? "").replace(/^\//, "")}`;
  const url = `${scheme}://${hostPort(host, port)}${path}`;
  let socket: Socket;
  try {
    socket = await target.dial(host, port, signal);
  } catch (error) {
    const text = signal.aborted ? timeoutText : dialErrorText(error, hostPort(host, port), false);
    return failed(`Get "${url}": ${text}`);
  }
  const stream = scheme === "https" ? tlsConnect({ socket, rejectUnauthorized: false }) : socket;
  try {
    const { status, body } = await exchange(stream, { action, path, host: hostPort(host, port), signal });
    if (status >= 200 && status < 400) return { isSuccess: true, output: body };
    return failed(`HTTP probe failed with statuscode: ${status}`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (signal.aborted) return failed(`Get "${url}": ${timeoutText}`);
    if (code === "ECONNRESET") return failed(`Get "${url}": EOF`);
    return failed(`Get "${url}": ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    stream.destroy();
    socket.destroy();
  }
}

const timeoutText = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";

function failed(output: string): ProbeResult {
  return { isSuccess: false, output };
}

function exchange(
  stream: Socket,
  options: {
    readonly action: HTTPGetAction;
    readonly path: string;
    readonly host: string;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly status: number; readonly body: string }> {
  const { action, path, host, signal } = options;
  const headers: Record<string, string> = {
    Host: host,
    "User-Agent": "kube-probe/1.35",
    Accept: "*/*",
    Connection: "close",
  };
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ createConnection: () => stream, path, headers, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        if (body.length < longestBody) body += text;
        else response.destroy();
      });
      response.on("close", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", reject);
    });
    // An upgrade that nobody asked for: Node ends the connection, and says no more.
    request.on("upgrade", ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, body: "" });
    });
    request.on("error", reject);
    request.end();
  });
}
