/** Answers from lines in the form of /etc/hosts. */
import { isInZone, recordClasses, recordTypes } from "../../../lib/dns-message/index.ts";
import type { RecordData } from "../../../lib/dns-message/index.ts";
import { ipFamily, isIpAddress, parseIpAddress } from "../../../lib/ip/index.ts";
import type { HostsConfig } from "../corefile/index.ts";
import { emptyReply } from "../handler.ts";
import type { Plugin } from "../handler.ts";

/** Address first, then its names. */
export function hostLines(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter((words) => words.length > 1);
}

export function hostsPlugin(config: HostsConfig, lines: readonly (readonly string[])[]): Plugin {
  const addresses = new Map<string, string[]>();
  for (const [text = "", ...names] of lines) {
    if (!isIpAddress(text)) continue;
    for (const name of names) {
      const key = `${name.toLowerCase().replace(/\.$/, "")}.`;
      addresses.set(key, [...(addresses.get(key) ?? []), parseIpAddress(text)]);
    }
  }
  return (next) => (request) => {
    if (!config.zones.some((zone) => isInZone(request.name, zone))) return next(request);
    const found = addresses.get(request.name);
    if (found === undefined) {
      const goesOn = config.fallthrough.some((zone) => isInZone(request.name, zone));
      return goesOn ? next(request) : emptyReply("NXDOMAIN", "hosts");
    }
    const answers = found.map(dataOf).filter(({ code }) => code === request.type);
    return {
      ...emptyReply("NOERROR", "hosts"),
      isAuthoritative: true,
      answers: answers.map(({ data }) => ({
        name: request.askedName,
        class: recordClasses.IN,
        ttlSeconds: config.ttlSeconds,
        data,
      })),
    };
  };
}

function dataOf(address: string): { readonly code: number; readonly data: RecordData } {
  return ipFamily(parseIpAddress(address)) === "IPv4"
    ? { code: recordTypes.A, data: { type: "A", address } }
    : { code: recordTypes.AAAA, data: { type: "AAAA", address } };
}
