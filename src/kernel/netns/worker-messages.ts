/** What NamespaceWorker and its thread say to each other. */
import type { SocketAddress } from "./sockets.ts";

export interface SocketRequest extends SocketAddress {
  readonly id: number;
  readonly call: "bindTcp" | "bindUdp" | "connectTcp";
  readonly netnsPath: string;
}

export type SocketReply =
  | { readonly id: number; readonly fd: number }
  | { readonly id: number; readonly error: { readonly message: string; readonly code: string } };
