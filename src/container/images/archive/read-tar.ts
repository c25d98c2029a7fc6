import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract, type ExtractEvents } from "tar-stream";

/** A part of an archive: its header, and as a stream its bytes. */
export type TarEntry = ExtractEvents["entry"][1];

/**
 * Calls `take` for one entry of the archive after the other; what it leaves of one is passed over. `streams` end in the
 * archive's plain bytes. When this settles, nothing reads any more: the caller may clear its folders. Rejects with
 * `take`'s own error rather than with what then became of the streams.
 */
export async function readTar(
  streams: readonly [Readable, ...Transform[]],
  take: (entry: TarEntry) => Promise<void>,
): Promise<void> {
  const entries = extract();
  const reading = pipeline([...streams, entries]);
  const taking = (async () => {
    for await (const entry of entries) {
      await take(entry);
      entry.resume();
    }
  })();
  for (const ended of await Promise.allSettled([taking, reading])) {
    if (ended.status === "rejected") throw ended.reason;
  }
}
