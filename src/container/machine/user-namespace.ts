/** Which users exist here: all of them, or those the cluster's user namespace maps. */
import { readFileSync } from "node:fs";

export interface UserMap {
  /** Some users are missing: this is a user namespace. */
  readonly isRootless: boolean;
  has(id: number): boolean;
  /** The highest; 0 where only root exists. */
  readonly last: number;
}

/** Reads /proc/self/uid_map (or gid_map): lines of "first, first outside, count". */
export function readUserMap(path = "/proc/self/uid_map"): UserMap {
  return parseUserMap(readFileSync(path, "utf8"));
}

export function parseUserMap(text: string): UserMap {
  const ranges = text
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([first, , count]) => (first !== undefined && count !== undefined ? [{ first, end: first + count }] : []));
  return {
    isRootless: !ranges.some(({ first, end }) => first === 0 && end >= 0xffff_ffff),
    last: Math.max(0, ...ranges.map(({ end }) => end - 1)),
    has: (id) => ranges.some(({ first, end }) => id >= first && id < end),
  };
}
