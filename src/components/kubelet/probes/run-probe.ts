/** One try of a probe, of whichever kind, within its timeout. */
import type { Probe } from "../../../api/generated/types.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { grpcHealth } from "./grpc-health.ts";
import { httpGet } from "./http-get.ts";
import { hostPort } from "../../../lib/ip/index.ts";
import { dialErrorText } from "../../../machinery/dial-error.ts";
import { resolvePort } from "./target.ts";
import type { ProbeResult, ProbeTarget } from "./target.ts";

/** Never rejects: whatever goes wrong is a failed try. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.exec !== undefined) return runExec(probe.exec.command ?? [], target, timeoutMs);
  const limit = new AbortController();
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  void clock.sleep(timeoutMs, ended).then(
    () => limit.abort(new Error("context deadline exceeded")),
    () => undefined,
  );
  const within = AbortSignal.any([signal, limit.signal]);
  try {
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, target, within);
    if (probe.grpc !== undefined) return await grpcHealth(probe.grpc, target, within);
    if (probe.tcpSocket !== undefined) return await tcpConnect(probe.tcpSocket, target, within);
    return { isSuccess: false, output: `missing probe handler for ${target.container.name}` };
  } finally {
    stop.abort();
  }
}

async function tcpConnect(
  action: { readonly host?: string; readonly port: number | string },
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const port = resolvePort(target.container, action.port);
  if (port === undefined) return { isSuccess: false, output: `couldn't find port: ${action.port}` };
  const host = action.host ?? target.podIp;
  try {
    const socket = await target.dial(host, port, signal);
    socket.destroy();
    return { isSuccess: true, output: "" };
  } catch (error) {
    return { isSuccess: false, output: dialErrorText(error, hostPort(host, port), signal.aborted) };
  }
}

async function runExec(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<ProbeResult> {
  try {
    const { exitCode, output } = await target.execSync(command, timeoutMs);
    return { isSuccess: exitCode === 0, output };
  } catch (error) {
    const isTimeout = error instanceof Error && "code" in error && error.code === "ExecTimeout";
    if (isTimeout) {
      return {
        isSuccess: false,
        output: `command timed out: "${command.join(" ")}" timed out after ${timeoutMs / 1000}s`,
      };
    }
    return { isSuccess: false, output: error instanceof Error ? error.message : String(error) };
  }
}
