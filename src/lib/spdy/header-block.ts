/**
 * Header blocks: name-value lists in one zlib stream per direction, flushed to a byte boundary after each block
 * (section 2.6.10). Such a block can be handled by itself when the 32 KiB before it serve as its dictionary, which keeps
 * this synchronous and without state in native code.
 */
import { deflateRawSync, inflateRawSync, constants } from "node:zlib";
import { dictionary, dictionaryChecksum } from "./dictionary.ts";
import { SpdyError } from "./errors.ts";

/** Names in lower case; of a name given several times, the values in order. */
export type SpdyHeaders = Readonly<Record<string, readonly string[]>>;

const windowBytes = 32 * 1024;
const longestBlock = 64 * 1024;
/** CMF, FLG with a preset dictionary, and the dictionary's checksum: how the first block of a stream begins. */
const streamHead = Buffer.from([0x78, 0xbb, ...[24, 16, 8, 0].map((shift) => (dictionaryChecksum >>> shift) & 0xff)]);

export class HeaderCompressor {
  #window: Buffer = dictionary;
  #isFirst = true;

  compress(headers: SpdyHeaders): Buffer {
    const plain = encodeHeaders(headers);
    const block = deflateRawSync(plain, { dictionary: this.#window, finishFlush: constants.Z_SYNC_FLUSH });
    this.#window = slide(this.#window, plain);
    if (!this.#isFirst) return block;
    this.#isFirst = false;
    return Buffer.concat([streamHead, block]);
  }
}

export class HeaderDecompressor {
  #window: Buffer = dictionary;
  #isFirst = true;

  /** Throws `SpdyError` where the block is broken or too large; the decompressor is then spent. */
  decompress(block: Buffer): SpdyHeaders {
    const isHeaded = this.#isFirst;
    this.#isFirst = false;
    if (isHeaded && !hasDictionaryHead(block)) {
      throw new SpdyError("Cannot read a SPDY header block: its zlib head does not name SPDY's dictionary");
    }
    let plain: Buffer;
    try {
      plain = inflateRawSync(isHeaded ? block.subarray(streamHead.length) : block, {
        dictionary: this.#window,
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: longestBlock,
      });
    } catch (error) {
      throw new SpdyError("Cannot read a SPDY header block: it does not decompress", { cause: error });
    }
    this.#window = slide(this.#window, plain);
    return decodeHeaders(plain);
  }
}

/** The compression level in FLG is the sender's choice; the method, the dictionary's flag and its checksum are not. */
function hasDictionaryHead(block: Buffer): boolean {
  if (block.length < streamHead.length) return false;
  const [cmf = 0, flg = 0] = block;
  const isZlib = (cmf & 0x0f) === 8 && (cmf * 256 + flg) % 31 === 0;
  return isZlib && (flg & 0x20) !== 0 && block.readUInt32BE(2) === dictionaryChecksum;
}

function slide(window: Buffer, plain: Buffer): Buffer {
  return Buffer.concat([window, plain]).subarray(-windowBytes);
}

function encodeHeaders(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers);
  const parts: Buffer[] = [lengthOf(entries.length)];
  for (const [name, values] of entries) {
    for (const text of [name.toLowerCase(), values.join("\0")]) {
      const bytes = Buffer.from(text, "latin1");
      parts.push(lengthOf(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function decodeHeaders(plain: Buffer): SpdyHeaders {
  let offset = 0;
  const word = (): number => {
    if (plain.length < offset + 4) throw new SpdyError("Cannot read a SPDY header block: it ends within a length");
    const value = plain.readUInt32BE(offset);
    offset += 4;
    return value;
  };
  const text = (): string => {
    const length = word();
    if (plain.length < offset + length) throw new SpdyError("Cannot read a SPDY header block: it ends within a text");
    const value = plain.toString("latin1", offset, offset + length);
    offset += length;
    return value;
  };
  const count = word();
  const headers = new Map<string, readonly string[]>();
  for (let index = 0; index < count; index += 1) {
    const name = text().toLowerCase();
    headers.set(name, text().split("\0"));
  }
  return Object.fromEntries(headers);
}
