/** Reads a container's log file from where the request wants it to its end, and on while the container runs. */
import { watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { LineSplitter } from "./log-line.ts";
import type { LogRecord } from "./log-line.ts";
import { dirname } from "node:path";
import type { LogOptions } from "./log-options.ts";

const blockBytes = 64 * 1024;

/**
 * Yields what the client is to see.
 *
 * @param source.onEnded - Calls back when the container writes no more, at once where that is so already, and returns
 * what ends the waiting; only used with `follow`.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  source: {
    readonly onEnded: (callback: () => void) => () => void;
    readonly signal: AbortSignal;
    /** Reads a line of the file; undefined leaves it out. */
    readonly parse: (line: Buffer) => LogRecord | undefined;
  },
): AsyncGenerator<Buffer> {
  let file = await open(path, "r");
  const changes = options.follow ? watchFile(path, source) : undefined;
  try {
    const format = formatter(options, source.parse);
    const splitter = new LineSplitter();
    let position = options.tailLines === undefined ? 0 : await tailStart(file, options.tailLines);
    let isOver = !options.follow;
    /** Rotated: to be read once more to its end, then the new one. */
    let isReplaced = false;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(blockBytes), 0, blockBytes, position);
      position += bytesRead;
      if (bytesRead > 0) {
        for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
          const { text, isEnough } = format(line);
          if (text.length > 0) yield text;
          if (isEnough) return;
        }
        continue;
      }
      // The writer went to a new file before it showed at the path: what was read here is all there is.
      if (options.follow && !isReplaced && (await isOther(path, file))) {
        isReplaced = true;
        continue;
      }
      if (isReplaced) {
        const next = await open(path, "r");
        await file.close();
        [file, position, isReplaced] = [next, 0, false];
        continue;
      }
      if (isOver || source.signal.aborted) return;
      // Once more after the end was heard: the last lines may have been written just before it.
      isOver = (await changes?.next()) === "ended";
    }
  } finally {
    changes?.close();
    await file.close();
  }
}

function formatter(
  options: LogOptions,
  parse: (line: Buffer) => LogRecord | undefined,
): (line: Buffer) => { readonly text: Buffer; readonly isEnough: boolean } {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const isWithinLine = { stdout: false, stderr: false };
  return (line) => {
    const record = parse(line);
    const isSkipped =
      record === undefined ||
      (options.stream !== undefined && record.stream !== options.stream) ||
      (options.sinceMs !== undefined && Date.parse(record.time) < options.sinceMs);
    if (isSkipped) return { text: Buffer.alloc(0), isEnough: false };
    const hasTime = options.timestamps && !isWithinLine[record.stream];
    isWithinLine[record.stream] = record.isPartial;
    const whole = hasTime ? Buffer.concat([Buffer.from(`${record.time} `), record.text]) : record.text;
    const text = whole.length > left ? whole.subarray(0, left) : whole;
    left -= text.length;
    return { text, isEnough: left <= 0 };
  };
}

/** Whether another file has taken the place of the one that is read. */
async function isOther(path: string, file: FileHandle): Promise<boolean> {
  try {
    return (await stat(path)).ino !== (await file.stat()).ino;
  } catch (error) {
    // Renamed, and the new one is not there yet: its coming is heard.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Where the last `lines` lines begin. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let missing = lines;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = buffer.length - 1; at >= 0; at -= 1) {
      // The file's last line end closes a line rather than beginning one.
      if (buffer[at] !== 0x0a || start + at === size - 1) continue;
      missing -= 1;
      if (missing <= 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** Tells of changes and of the end, none lost between two calls. */
function watchFile(
  path: string,
  source: Pick<Parameters<typeof readLog>[2], "onEnded" | "signal">,
): { next(): Promise<"changed" | "ended">; close(): void } {
  let hasChanged = false;
  let isEnded = false;
  let wake: (() => void) | undefined;
  const note = (): void => {
    hasChanged = true;
    wake?.();
  };
  const end = (): void => {
    isEnded = true;
    wake?.();
  };
  // The folder, which is the container's own: a rotated log's successor is another file.
  const watcher = watch(dirname(path), { persistent: false }, note);
  watcher.on("error", end);
  const stopWaiting = source.onEnded(end);
  source.signal.addEventListener("abort", end, { once: true });
  return {
    next: async () => {
      if (!hasChanged && !isEnded) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      hasChanged = false;
      return isEnded ? "ended" : "changed";
    },
    close: () => {
      source.signal.removeEventListener("abort", end);
      stopWaiting();
      watcher.close();
    },
  };
}
