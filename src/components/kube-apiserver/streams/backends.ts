/** Connections to what stands behind the API server: kubelets, pods, services. */
import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";
import { internalError, serviceUnavailable } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import { hostPort } from "../../../lib/ip/index.ts";
import { dialErrorText } from "../../../machinery/dial-error.ts";
import type { CertificateAndKey } from "../../../machinery/pki/index.ts";

export interface BackendOptions {
  /** Opens a TCP connection to the kubelet of a node. */
  readonly dialKubelet?: (nodeName: string) => Promise<Duplex>;
  /** Opens a TCP connection to an address inside the cluster. */
  readonly dialCluster?: (target: { readonly host: string; readonly port: number }) => Promise<Duplex>;
  /** With which we show the kubelets who we are. */
  readonly identity: CertificateAndKey;
  readonly ca: string;
}

export interface Backends {
  /** Rejects with `ApiError` 500 when the node does not answer. */
  kubelet(nodeName: string): Promise<Duplex>;
  /** `isTls`: without looking at the certificate, as upstream. Rejects with `ApiError` 503. */
  cluster(target: { readonly host: string; readonly port: number; readonly isTls: boolean }): Promise<Duplex>;
}

export function createBackends({ dialKubelet, dialCluster, identity, ca }: BackendOptions): Backends {
  return {
    kubelet: async (nodeName) => {
      if (dialKubelet === undefined) throw serviceUnavailable("the server was started without a way to the nodes");
      try {
        const socket = await dialKubelet(nodeName);
        const { certificate: cert, key } = identity;
        return await secured(connectTls({ socket, servername: nodeName, ca, cert, key }));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw internalError(`error dialing backend: ${why}`, error);
      }
    },
    cluster: async ({ host, port, isTls }) => {
      if (dialCluster === undefined) throw serviceUnavailable("the server was started without a way to the pods");
      try {
        const socket = await dialCluster({ host, port });
        return isTls ? await secured(connectTls({ socket, rejectUnauthorized: false })) : socket;
      } catch (error) {
        throw unreachable(error, { host, port });
      }
    },
  };
}

/** 503 for a pod or service that does not take the connection. */
function unreachable(error: unknown, { host, port }: { readonly host: string; readonly port: number }): ApiError {
  return serviceUnavailable(`error trying to reach service: ${dialErrorText(error, hostPort(host, port), false)}`);
}

function secured(socket: TLSSocket): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** An agent that uses this one connection, once. */
export function agentOver(connection: Duplex): Agent {
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = () => connection;
  return agent;
}
