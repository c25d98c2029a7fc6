import { isNothing } from "./equality.ts";

/** The suffix by which the parts of one template's revision are told from those of the next: `6d4b75cb6d`. */

/** Letters and digits that make no words and are not mistaken for one another (apimachinery util/rand). */
const safeCharacters = "bcdfghjklmnpqrstvwxz2456789";

/**
 * Hashes a pod template. Upstream hashes Go's memory layout, which cannot be matched; length and alphabet are the same.
 *
 * @param collisions - Raised where the name made from the hash belongs to another template already.
 */
export function templateHash(template: unknown, collisions = 0): string {
  const text = canonicalText(template) + (collisions === 0 ? "" : `#${collisions}`);
  return safeEncode(String(fnv1a32(text)));
}

/** Replaces each character by one of the safe alphabet, keeping the length. */
function safeEncode(text: string): string {
  return Array.from(text, (char) => safeCharacters[char.charCodeAt(0) % safeCharacters.length]).join("");
}

/** FNV-1a, 32 bits, of the UTF-8 text. */
function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Text that two values share exactly if they mean the same to the API: keys in order, absent fields, null and empty
 * lists alike. An empty object differs from none (`emptyDir: {}`).
 */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) => {
    if (typeof child !== "object" || child === null || Array.isArray(child)) return child;
    const fields = Object.entries(child).filter(([, field]) => !isNothing(field));
    return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
