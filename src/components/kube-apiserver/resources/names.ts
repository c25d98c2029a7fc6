/** Names that the server makes up from `generateName`. */
import { randomInt } from "node:crypto";

/** Without vowels and what looks alike: no words, no mistakes. Upstream's alphabet. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const longestBase = 63 - suffixLength;

export function randomSuffix(): string {
  let suffix = "";
  for (let count = 0; count < suffixLength; count += 1) suffix += alphabet[randomInt(alphabet.length)];
  return suffix;
}

export function generatedName(base: string): string {
  return base.slice(0, longestBase) + randomSuffix();
}
