/** What a person sees while something takes a second: a line per step on stderr. */

export interface Progress {
  /** A step is done; `detail` is what it came to. */
  done(step: string, detail?: string): void;
  fail(message: string): void;
  /** Plain words, without a mark. */
  say(message: string): void;
}

/** Check marks in colour on a terminal, plain text elsewhere and with NO_COLOR (no-color.org). */
export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): Progress {
  const isFancy = stream.isTTY && (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb";
  const mark = (text: string, colour: number): string => (isFancy ? `\u001B[${colour}m${text}\u001B[0m` : text);
  return {
    done: (step, detail) =>
      void stream.write(`${mark(isFancy ? "✓" : "ok:", 32)} ${step}${detail === undefined ? "" : ` (${detail})`}\n`),
    fail: (message) => void stream.write(`${mark(isFancy ? "✗" : "error:", 31)} ${message}\n`),
    say: (message) => void stream.write(`${message}\n`),
  };
}
