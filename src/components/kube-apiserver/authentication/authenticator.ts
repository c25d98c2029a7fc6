/** Finds out who asks: by client certificate, by token, or nobody known. */
import type { TLSSocket } from "node:tls";
import { unauthorized } from "../../../api/status.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { anonymous, authenticated } from "../user.ts";
import { webSocketToken } from "./web-socket-token.ts";
import type { User } from "../user.ts";

export interface TokenAuthenticator {
  /** The user, or undefined for a token that is not valid. */
  authenticate(token: string): User | undefined;
}

export type Authenticate = (request: HttpRequest) => User;

/** What a connection's certificate says: its user until it ends, nothing, or that it is none of ours. */
type Certified = { readonly user: User; readonly untilMs: number } | "none" | "bad";

/** The returned function throws `ApiError` 401 for credentials that are not good. */
export function createAuthenticator(tokens: TokenAuthenticator, clock: Pick<Clock, "now">): Authenticate {
  // One look at the certificate per connection, however many requests come over it.
  const ofSocket = new WeakMap<object, Certified>();
  return (request) => {
    // As upstream: a good certificate counts before any token, and a bad one only where no token is good.
    const socket = socketOf(request);
    const known = socket === undefined ? "none" : (ofSocket.get(socket) ?? certifiedBy(socket));
    if (socket !== undefined) ofSocket.set(socket, known);
    const isCertified = typeof known === "object" && clock.now() < known.untilMs;
    if (isCertified) return known.user;
    const token = tokenOf(request);
    const user = token === undefined ? undefined : tokens.authenticate(token);
    if (user !== undefined) return authenticated(user);
    if (token !== undefined || known !== "none") throw unauthorized();
    return anonymous;
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
function certifiedBy(socket: TLSSocket): Certified {
  // Typed as always there, but empty when the client showed none.
  const certificate = socket.getPeerCertificate(false) as {
    readonly subject?: Readonly<Record<string, unknown>>;
    readonly fingerprint256?: string;
    readonly valid_to?: string;
  };
  if (certificate.subject === undefined) return "none";
  if (!socket.authorized) return "bad";
  const [name] = values(certificate.subject["CN"]);
  if (name === undefined) return "none";
  const hash = (certificate.fingerprint256 ?? "").replaceAll(":", "").toLowerCase();
  const extra = { "authentication.kubernetes.io/credential-id": [`X509SHA256=${hash}`] };
  const user = authenticated({ name, groups: values(certificate.subject["O"]), extra });
  return { user, untilMs: Date.parse(certificate.valid_to ?? "") };
}

/** One value is a string, several are an array. */
function values(attribute: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(attribute) ? attribute : [attribute];
  return list.filter((value) => typeof value === "string");
}
