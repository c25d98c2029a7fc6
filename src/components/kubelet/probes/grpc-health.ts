/** The gRPC health check (grpc.health.v1.Health/Check) as a probe. */
import { connect } from "node:http2";
import type { IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import type { GRPCAction } from "../../../api/generated/types.ts";
import { hostPort } from "../../../lib/ip/index.ts";
import type { ProbeResult, ProbeTarget } from "./target.ts";

/** `HealthCheckResponse.SERVING`. */
const serving = 1;

export async function grpcHealth(action: GRPCAction, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const address = hostPort(target.podIp, action.port);
  let socket: Socket;
  try {
    socket = await target.dial(target.podIp, action.port, signal);
  } catch {
    return {
      isSuccess: false,
      output: `timeout: failed to connect service "${address}" within the probe's time: context deadline exceeded`,
    };
  }
  try {
    const { grpcStatus, message } = await call(socket, { address, service: action.service ?? "", signal });
    if (grpcStatus !== "0") return { isSuccess: false, output: `error: health rpc failed with status ${grpcStatus}` };
    const status = servingStatus(message);
    if (status === serving) return { isSuccess: true, output: "service healthy" };
    return { isSuccess: false, output: `service unhealthy (responded with "${statusName(status)}")` };
  } catch (error) {
    return {
      isSuccess: false,
      output: `error: health rpc failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  } finally {
    socket.destroy();
  }
}

function call(
  socket: Socket,
  options: { readonly address: string; readonly service: string; readonly signal: AbortSignal },
): Promise<{ readonly grpcStatus: string; readonly message: Buffer }> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${options.address}`, { createConnection: () => socket });
    session.on("error", reject);
    const stream = session.request(
      {
        ":method": "POST",
        ":path": "/grpc.health.v1.Health/Check",
        "content-type": "application/grpc",
        te: "trailers",
        "user-agent": "kube-probe/1.35",
      },
      { signal: options.signal },
    );
    let grpcStatus = "";
    const chunks: Buffer[] = [];
    const noteStatus = (headers: IncomingHttpHeaders): void => {
      const status = headers["grpc-status"];
      if (typeof status === "string") grpcStatus = status;
    };
    stream.on("response", noteStatus);
    stream.on("trailers", noteStatus);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => {
      session.destroy();
      resolve({ grpcStatus, message: Buffer.concat(chunks).subarray(5) });
    });
    stream.end(request(options.service));
  });
}

/** A gRPC frame (not compressed, length) around `HealthCheckRequest { string service = 1 }`. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const body = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** Field 1 of `HealthCheckResponse`, a varint below 128; absent means UNKNOWN. */
function servingStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}

function statusName(status: number): string {
  return ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"][status] ?? String(status);
}
