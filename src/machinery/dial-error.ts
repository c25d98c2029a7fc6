/** Failed connections in the words that clients of Kubernetes know. */

const dialErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "connect: connection reset by peer",
  ETIMEDOUT: "connect: connection timed out",
};

/** The words Go's dialer has for the failure. */
export function dialErrorText(error: unknown, address: string, isTimedOut: boolean): string {
  if (isTimedOut) return `dial tcp ${address}: i/o timeout`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return `dial tcp ${address}: ${dialErrors[code] ?? (error instanceof Error ? error.message : String(error))}`;
}
