/** How much a namespace's rule set holds, of whatever table: counted in raw answers, which costs a tenth of nft's listing. */
import { NfnetlinkSocket, subsystem } from "../nfnetlink/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { messageFlag, readText, splitPayload } from "../rtnetlink/wire.ts";
import { countElements } from "./element-codec.ts";

const message = { getRules: 7, getSets: 10, getElements: 13 } as const;
const anyFamily = 0;
const setAttribute = { table: 1, name: 2, flags: 3 } as const;
/** Of a set that stands within a rule. */
const anonymousFlag = 1;
const genericHeaderLength = 4;

export interface RuleCounts {
  readonly rules: number;
  /** Of all sets and maps that have a name. */
  readonly elements: number;
}

/** Throws `NfnetlinkError`. */
export function countRuleSet(namespace: NetworkNamespace): RuleCounts {
  const socket = new NfnetlinkSocket(namespace);
  try {
    const rules = dump(socket, { type: message.getRules, family: anyFamily }).length;
    let elements = 0;
    for (const set of dump(socket, { type: message.getSets, family: anyFamily })) {
      const { fixed, attributes } = splitPayload(set, genericHeaderLength);
      const [table, name] = [setAttribute.table, setAttribute.name].map((part) => readText(attributes.get(part)));
      // In network order: the lowest bits are in the last byte.
      const isAnonymous = ((attributes.get(setAttribute.flags)?.[3] ?? 0) & anonymousFlag) !== 0;
      if (isAnonymous || table === undefined || name === undefined) continue;
      const answers = dump(socket, { type: message.getElements, family: fixed.getUint8(0), set: { table, name } });
      for (const answer of answers) elements += countElements(answer);
    }
    return { rules, elements };
  } finally {
    socket.close();
  }
}

function dump(
  socket: NfnetlinkSocket,
  what: {
    readonly type: number;
    readonly family: number;
    readonly set?: { readonly table: string; readonly name: string };
  },
): readonly Uint8Array[] {
  const { type, family, set } = what;
  return socket.request("count rules", {
    type: (subsystem.nftables << 8) | type,
    flags: messageFlag.dump,
    family,
    write: (writer) => {
      if (set !== undefined) writer.attributeText(1, set.table).attributeText(2, set.name);
    },
  });
}
