/** A request as the routes see it, and what they answer. */

/** As httpbin prints it: one value, or the list where a name occurs more than once. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

export interface Received {
  readonly method: string;
  /** Decoded segments of the path that the route names with a colon. */
  readonly params: Readonly<Record<string, string>>;
  readonly args: Values;
  /** In the usual spelling: "User-Agent". */
  readonly headers: Values;
  /** Of the client, or what a proxy says it is. */
  readonly origin: string;
  readonly url: string;
  readonly cookies: Readonly<Record<string, string>>;
  readonly body: ReceivedBody;
}

export interface ReceivedBody {
  /** Text, or a data: URL where the bytes are no UTF-8. */
  readonly data: string;
  readonly form: Values;
  readonly files: Values;
  /** null where the body is no JSON. */
  readonly json: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

/** Two spaces, sorted keys, a final line break: httpbin's form. */
export function json(value: unknown, more: Partial<Answer> = {}): Answer {
  return {
    status: 200,
    ...more,
    headers: { "Content-Type": "application/json", ...more.headers },
    body: `${JSON.stringify(sorted(value), undefined, 2)}\n`,
  };
}

export function text(body: string, type = "text/html; charset=utf-8"): Answer {
  return { status: 200, headers: { "Content-Type": type }, body };
}

export function empty(status: number, headers: Answer["headers"] = {}): Answer {
  return { status, headers: { "Content-Type": "text/html; charset=utf-8", ...headers }, body: "" };
}

export function redirect(location: string, headers: Answer["headers"] = {}): Answer {
  return empty(302, { Location: location, ...headers });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** Names with their values, a list where one occurs more than once. */
export function valuesOf(pairs: Iterable<readonly [string, string]>): Values {
  const values = new Map<string, string | readonly string[]>();
  for (const [name, value] of pairs) {
    const known = values.get(name);
    values.set(name, known === undefined ? value : [...(typeof known === "string" ? [known] : known), value]);
  }
  return Object.fromEntries(values);
}
