/** What a probe or a lifecycle hook is aimed at. */
import type { Socket } from "node:net";
import type { AnyContainer } from "../pods/find-container.ts";

export interface ProbeTarget {
  readonly container: AnyContainer;
  readonly containerId: string;
  readonly podIp: string;
  /** Connects from the node; rejects with the errno as `code`, or with the signal's reason. */
  readonly dial: (address: string, port: number, signal: AbortSignal) => Promise<Socket>;
  readonly execSync: (
    command: readonly string[],
    timeoutMs: number,
  ) => Promise<{ readonly exitCode: number; readonly output: string }>;
}

/** The result of one try; `output` is what upstream's event quotes. */
export interface ProbeResult {
  readonly isSuccess: boolean;
  readonly output: string;
}

/** A number, or the name of one of the container's ports; undefined where there is none of that name. */
export function resolvePort(container: AnyContainer, port: number | string): number | undefined {
  if (typeof port === "number") return port;
  const named = (container.ports ?? []).find(({ name }) => name === port);
  if (named !== undefined) return named.containerPort;
  return /^\d+$/.test(port) ? Number(port) : undefined;
}
