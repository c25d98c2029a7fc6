/** Plain JSON, as patches see it. */
export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object that takes any key, `__proto__` too, as plain data. */
export class ObjectBuilder {
  private readonly entries: Map<string, unknown>;
  constructor(start: JsonObject = {}) {
    this.entries = new Map(Object.entries(start));
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  get(key: string): unknown {
    return this.entries.get(key);
  }

  set(key: string, value: unknown): void {
    this.entries.set(key, value);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  keys(): Iterable<string> {
    return this.entries.keys();
  }

  build(): JsonObject {
    // fromEntries defines properties: `__proto__` does not set a prototype.
    return Object.fromEntries(this.entries);
  }
}

/** A patch cannot be read or does not fit the document. `isMalformed` tells the first (400) from the second (422). */
export class PatchError extends Error {
  override readonly name = "PatchError";
  readonly code = "PATCH_FAILED";
  readonly isMalformed: boolean;
  constructor(message: string, isMalformed: boolean) {
    super(message);
    this.isMalformed = isMalformed;
  }
}
