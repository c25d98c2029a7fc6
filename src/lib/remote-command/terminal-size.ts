export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Reads the sizes of a resize stream: JSON objects one after another, `{"Width":80,"Height":24}`, cut anywhere. */
export class TerminalSizeDecoder {
  #rest = "";

  /** The sizes `chunk` completes; what is no size is passed over. */
  push(chunk: Buffer): readonly TerminalSize[] {
    this.#rest += chunk.toString("latin1");
    const sizes: TerminalSize[] = [];
    for (let end = this.#rest.indexOf("}"); end >= 0; end = this.#rest.indexOf("}")) {
      const size = parseSize(this.#rest.slice(0, end + 1));
      if (size !== undefined) sizes.push(size);
      this.#rest = this.#rest.slice(end + 1);
    }
    // A size is short; more without an end is noise.
    if (this.#rest.length > 1024) this.#rest = "";
    return sizes;
  }
}

function parseSize(text: string): TerminalSize | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("Width" in value) || !("Height" in value)) return undefined;
  const { Width: columns, Height: rows } = value;
  if (!isCells(columns) || !isCells(rows)) return undefined;
  return { columns, rows };
}

function isCells(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 0xffff;
}
