/** Tables, chains and the generation of the rules, raw: what nft would read the whole rule set for. */
import type { Family } from "../../model/rules/index.ts";
import { NfnetlinkError, subsystem, type NfnetlinkSocket } from "../nfnetlink/index.ts";
import { messageFlag, readText, splitPayload, type Message } from "../rtnetlink/wire.ts";
import { decodeComment, familyNumber } from "./element-codec.ts";

const message = { getTable: 1, deleteTable: 2, getChain: 4, newGeneration: 15, getGeneration: 16 } as const;
const tableAttribute = { name: 1, userData: 6 } as const;
const chainAttribute = { table: 1, name: 3 } as const;
const generationAttribute = { id: 1 } as const;

/** Undefined where there is no such table, or it has no comment. */
export function readTableComment(socket: NfnetlinkSocket, family: Family, table: string): string | undefined {
  try {
    const [payload] = socket.request(`read table ${table}`, {
      type: (subsystem.nftables << 8) | message.getTable,
      flags: 0,
      family: familyNumber[family],
      write: (writer) => writer.attributeText(tableAttribute.name, table),
    });
    return payload === undefined
      ? undefined
      : decodeComment(splitPayload(payload, 4).attributes.get(tableAttribute.userData));
  } catch (error) {
    if (error instanceof NfnetlinkError && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** With all that is in it; harmless where there is none. */
export function deleteTable(socket: NfnetlinkSocket, family: Family, table: string): void {
  try {
    socket.commit(`delete table ${table}`, [
      {
        type: (subsystem.nftables << 8) | message.deleteTable,
        flags: 0,
        family: familyNumber[family],
        write: (writer) => writer.attributeText(tableAttribute.name, table),
      },
    ]);
  } catch (error) {
    if (!(error instanceof NfnetlinkError && error.code === "ENOENT")) throw error;
  }
}

export function readChainNames(socket: NfnetlinkSocket, family: Family, table: string): readonly string[] {
  const payloads = socket.request("list chains", {
    type: (subsystem.nftables << 8) | message.getChain,
    flags: messageFlag.dump,
    family: familyNumber[family],
    write: () => undefined,
  });
  return payloads.flatMap((payload) => {
    const { attributes } = splitPayload(payload, 4);
    const name = readText(attributes.get(chainAttribute.name));
    return name === undefined || readText(attributes.get(chainAttribute.table)) !== table ? [] : name;
  });
}

/** Grows with every transaction of anybody in the namespace. */
export function readGeneration(socket: NfnetlinkSocket): number {
  const [payload] = socket.request("read the generation of the rules", {
    type: (subsystem.nftables << 8) | message.getGeneration,
    flags: 0,
    family: 0,
    write: () => undefined,
  });
  return payload === undefined ? 0 : decodeGeneration(payload);
}

function decodeGeneration(payload: Uint8Array): number {
  const id = splitPayload(payload, 4).attributes.get(generationAttribute.id);
  return id?.length === 4 ? new DataView(id.buffer, id.byteOffset, 4).getUint32(0) : 0;
}

/** What one notification of a change says: that a transaction ended, or which table it changed. */
export type ChangeNotice = { readonly generation: number } | { readonly family: Family; readonly table: string };

/** Undefined for families and subsystems that are none of ours. Throws `NetlinkDecodeError` where lengths do not fit. */
export function decodeNotice({ type, payload }: Pick<Message, "type" | "payload">): ChangeNotice | undefined {
  if (type >> 8 !== subsystem.nftables) return undefined;
  if ((type & 0xff) === message.newGeneration) return { generation: decodeGeneration(payload) };
  const family = (["ip", "ip6"] as const).find((name) => familyNumber[name] === payload[0]);
  // The table's name has this number in the messages about tables, chains, rules, sets, elements and objects.
  const table = readText(splitPayload(payload, 4).attributes.get(tableAttribute.name));
  return family === undefined || table === undefined ? undefined : { family, table };
}
