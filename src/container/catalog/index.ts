/** The images that need no network: names users know, made from what is on the machine. */
import { busybox } from "./busybox.ts";
import type { CatalogEntry } from "./entry.ts";

export const catalog: readonly CatalogEntry[] = [busybox];

export { type CatalogContext, type CatalogEntry } from "./entry.ts";
