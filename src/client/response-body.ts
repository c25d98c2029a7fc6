/** The body of an HTTP/2 response, read from the moment the request is made. */
import type { ClientHttp2Stream } from "node:http2";

export interface ResponseBody extends AsyncIterable<Buffer> {
  /** Stops reading; the server is told. Harmless after the end. */
  cancel(): void;
}

/** More than this waits on the server's side. */
const mostWaitingBytes = 1024 * 1024;

/**
 * To be called before the response comes. A short answer and the end of its stream arrive together, and Node takes a stream
 * that is closed for cut off, whatever it still holds: who begins to iterate it a moment later gets an error instead of the
 * answer. To be iterated once; the iteration throws where the body was cut off.
 */
export function readBody(stream: ClientHttp2Stream): ResponseBody {
  const chunks: Buffer[] = [];
  let waitingBytes = 0;
  let isComplete = false;
  let failure: Error | undefined;
  let wake = (): void => undefined;
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes > mostWaitingBytes) stream.pause();
    wake();
  });
  let hasEnded = false;
  stream.on("end", () => {
    hasEnded = true;
  });
  stream.on("error", (error: Error) => {
    failure ??= error;
  });
  // Only now it is known: of a body that was cut off Node ends the readable side, too.
  stream.on("close", () => {
    if (hasEnded && stream.rstCode === 0) isComplete = true;
    else failure ??= new Error("the response was cut off");
    wake();
  });
  return {
    cancel: () => stream.close(),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) {
          waitingBytes -= chunk.length;
          if (stream.isPaused() && waitingBytes < mostWaitingBytes / 2) stream.resume();
          yield chunk;
        } else if (isComplete) return;
        else if (failure !== undefined) throw failure;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}
