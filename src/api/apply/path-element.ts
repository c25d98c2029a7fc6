/** One step of a field path in its two texts: `fieldsV1`'s (`k:{"name":"web"}`) and the messages' (`[name="web"]`). */

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** An item of a list that is a set. */
export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** An item of a list that is merged by keys; they are written in the order of their names. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): string {
  return `k:${JSON.stringify(Object.fromEntries(keys.toSorted(([a], [b]) => (a < b ? -1 : 1))))}`;
}

/** Is the text one that a server may have written? */
export function isElement(text: string): boolean {
  const content = text.slice(2);
  switch (text.slice(0, 2)) {
    case "f:":
      return true;
    case "i:":
      return /^\d+$/.test(content);
    case "v:":
      return parsed(content) !== undefined;
    case "k:": {
      const keys = parsed(content);
      return typeof keys === "object" && keys !== null && !Array.isArray(keys);
    }
    default:
      return false;
  }
}

/** `.spec.containers[name="web"].image`; "" for no element at all. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

function elementText(element: string): string {
  const content = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${content}`;
    case "k:": {
      const keys = Object.entries(parsed(content) ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      return `[${keys.join(",")}]`;
    }
    case "v:":
      return `[=${content}]`;
    default:
      return `[${content}]`;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
