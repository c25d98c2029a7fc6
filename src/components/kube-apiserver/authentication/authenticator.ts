/** Finds out who asks: by client certificate, by token, or nobody known. */
import type { TLSSocket } from "node:tls";
import { unauthorized } from "../../../api/status.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { anonymous, authenticated } from "../user.ts";
import { webSocketToken } from "./web-socket-token.ts";
import type { User } from "../user.ts";

export interface TokenAuthenticator {
  /** The user, or undefined for a token that is not valid. */
  authenticate(token: string): User | undefined;
}

export type Authenticate = (request: HttpRequest) => User;

/** The returned function throws `ApiError` 401 for credentials that are not good. */
export function createAuthenticator(tokens: TokenAuthenticator): Authenticate {
  // One look at the certificate per connection, however many requests come over it.
  const ofSocket = new WeakMap<object, User | "none">();
  return (request) => {
    // As upstream: a good certificate counts before any token.
    const socket = socketOf(request);
    if (socket !== undefined) {
      const known = ofSocket.get(socket) ?? certificateUser(socket) ?? "none";
      ofSocket.set(socket, known);
      if (known !== "none") return known;
    }
    const token = tokenOf(request);
    if (token === undefined) return anonymous;
    const user = tokens.authenticate(token);
    if (user === undefined) throw unauthorized();
    return authenticated(user);
  };
}

/** The header counts before the protocol of a WebSocket. */
function tokenOf({ headers }: HttpRequest): string | undefined {
  const { authorization } = headers;
  if (authorization !== undefined && /^bearer /i.test(authorization))
    return authorization.slice("bearer ".length).trim();
  return webSocketToken(headers["sec-websocket-protocol"]);
}

function socketOf(request: HttpRequest): TLSSocket | undefined {
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return socket as TLSSocket | undefined;
}

/** Kubernetes' rule: the common name is the user, each organization a group. */
function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  // Typed as always there, but empty when the client showed none.
  const certificate = socket.getPeerCertificate(false) as {
    readonly subject?: Readonly<Record<string, unknown>>;
    readonly fingerprint256?: string;
  };
  const [name] = values(certificate.subject?.["CN"]);
  if (name === undefined) return undefined;
  const hash = (certificate.fingerprint256 ?? "").replaceAll(":", "").toLowerCase();
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${hash}`] };
  return authenticated({ name, groups: values(certificate.subject?.["O"]), extra });
}

/** One value is a string, several are an array. */
function values(attribute: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(attribute) ? attribute : [attribute];
  return list.filter((value) => typeof value === "string");
}
