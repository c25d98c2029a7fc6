/** The values that occur in Corefiles: zones, addresses, durations. */
import { isIpAddress } from "../../../lib/ip/index.ts";

export interface HostAndPort {
  /** "" for all addresses. */
  readonly host: string;
  readonly port: number;
}

/** `dns://cluster.local:53`, `.:53`, `example.org`, `10.0.0.0/8` to zone and port; a string says what is wrong. */
export function parseServerKey(
  key: string,
  defaultPort: number,
): { readonly zone: string; readonly port: number } | string {
  const [, scheme = "dns", rest = ""] = /^(?:([a-z+]+):\/\/)?(.*)$/s.exec(key) ?? [];
  if (scheme !== "dns") return `"${key}" asks for ${scheme}: only plain DNS is served, write dns:// or nothing`;
  const [, name = "", portText] = /^(.*?)(?::([^:]*))?$/s.exec(rest) ?? [];
  const port = portText === undefined ? defaultPort : parsePort(portText);
  if (port === undefined) return `"${key}" has no port from 1 to 65535`;
  const zone = parseZone(name === "" ? "." : name);
  return zone === undefined ? `"${key}" does not name a zone` : { zone, port };
}

/** Canonical with the final dot; IPv4 networks on whole bytes become their reverse zone. Undefined: no zone. */
export function parseZone(text: string): string | undefined {
  const network = /^(\d{1,3}(?:\.\d{1,3}){3})\/(8|16|24)$/.exec(text);
  if (network !== null) {
    const bytes = (network[1] ?? "").split(".").slice(0, Number(network[2]) / 8);
    return `${bytes.toReversed().join(".")}.in-addr.arpa.`;
  }
  if (text === ".") return text;
  const name = text.toLowerCase().replace(/\.$/, "");
  return /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(name) ? `${name}.` : undefined;
}

/** ":9153", "127.0.0.1:8080", "[::1]:53", with a port only where there is no default. */
export function parseHostAndPort(text: string, defaultPort?: number): HostAndPort | undefined {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text);
  const isBareAddress = isIpAddress(text);
  const plain = /^([^:]*)(?::(\d+))?$/.exec(text);
  const match = bracketed ?? (isBareAddress ? [text, text] : plain);
  if (match === null) return undefined;
  const [, host = "", portText] = match;
  const port = portText === undefined ? defaultPort : parsePort(portText);
  return port === undefined ? undefined : { host, port };
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Go's durations, such as "1m30s"; milliseconds. */
export function parseDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, value, unit]) => sum + Number(value) * (unitsMs[unit ?? ""] ?? 0),
    0,
  );
}

/** A whole number within the range. */
export function parseNumber(
  text: string | undefined,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const value = Number(text);
  return text !== undefined && /^\d+$/.test(text) && value >= range.min && value <= range.max ? value : undefined;
}
