/** The sub-protocols of exec, attach and port-forward, and their choice. */

/** Newest first. v1: plain text errors; v2: half-close; v3: resize; v4: exit status as JSON; v5: half-close over WebSocket. */
export const spdyProtocols = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"] as const;
export const webSocketProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
] as const;
/** Ports that are named before the connection, two channels each. */
export const portForwardChannelProtocols = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io"] as const;
export const portForwardProtocol = "portforward.k8s.io";
/** SPDY within WebSocket messages, as kubectl from 1.30 on forwards ports. */
export const tunnelledPortForwardProtocol = "SPDY/3.1+portforward.k8s.io";

/** The first of `supported` that the client offers; undefined: none. A client that offers nothing gets `fallback`. */
export function chooseProtocol<P extends string>(
  supported: readonly P[],
  offered: readonly string[],
  fallback?: P,
): P | undefined {
  if (offered.length === 0) return fallback;
  return supported.find((protocol) => offered.includes(protocol));
}

/** Whether the protocol has exit status as JSON; before, errors are plain text and exit codes get lost. */
export function hasJsonStatus(protocol: string): boolean {
  return /^v[45]\./.test(protocol);
}

/** Whether messages are text: the channel's digit, then base64. For clients without binary messages. */
export function isBase64(protocol: string): boolean {
  return protocol.includes("base64.");
}

/** Whether clients of the protocol open a stream for the terminal's size. */
export function hasResize(protocol: string): boolean {
  return protocol === "v3.channel.k8s.io" || hasJsonStatus(protocol);
}
