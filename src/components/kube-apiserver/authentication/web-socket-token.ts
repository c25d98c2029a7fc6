/** Browsers can send no header with a WebSocket: there the token comes as one of the protocols offered. */

const prefix = "base64url.bearer.authorization.k8s.io.";

/** Undefined where there is none. The text may be anything: the token itself says whether it is good. */
export function webSocketToken(protocols: string | undefined): string | undefined {
  const offered = (protocols ?? "").split(",").map((protocol) => protocol.trim());
  const found = offered.find((protocol) => protocol.startsWith(prefix));
  return found === undefined ? undefined : Buffer.from(found.slice(prefix.length), "base64url").toString();
}

/** The protocols without the token, for those behind us. */
export function withoutToken(protocols: string): string {
  return protocols
    .split(",")
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.startsWith(prefix))
    .join(", ");
}
