/** Where UDP begins to be translated with a transaction. */
import type { Transaction, Value } from "../../model/rules/index.ts";

export interface UdpFrontend {
  /** Undefined: any address of the node. */
  readonly address: Value | undefined;
  readonly port: Value;
}

/** Frontends, node ports and host ports that a transaction adds, those aside that it merely leads elsewhere. */
export function udpFrontendsIn({ addedElements, removedElements }: Transaction): readonly UdpFrontend[] {
  const found = addedElements.flatMap(({ set, key }) => frontendOf(set, key) ?? []);
  if (found.length === 0) return [];
  const textOf = ({ address, port }: UdpFrontend): string => `${address} ${port}`;
  const known = new Set(removedElements.flatMap(({ set, key }) => frontendOf(set, key) ?? []).map(textOf));
  return found.filter((frontend) => !known.has(textOf(frontend)));
}

function frontendOf(set: string, key: readonly Value[]): UdpFrontend | undefined {
  const isAnyAddress = set === "nodeports" || set === "hostports-any";
  if (!isAnyAddress && set !== "frontends" && set !== "hostports") return undefined;
  const [address, protocol, port] = isAnyAddress ? [undefined, ...key] : key;
  return protocol !== "udp" || port === undefined ? undefined : { address, port };
}
