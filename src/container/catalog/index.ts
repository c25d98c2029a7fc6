/** The images that need no network: names users know, made from what is on the machine. */
import { busybox, pause } from "./busybox.ts";
import type { CatalogEntry } from "./entry.ts";
import { httpd } from "./httpd.ts";
import { curl, distribution, host } from "./machine-images.ts";
import { nginx } from "./nginx.ts";
import { coredns, httpbin } from "./own-servers.ts";

export function catalogEntries(): readonly CatalogEntry[] {
  return [busybox, nginx, httpd, httpbin, coredns, curl, host, pause, ...distribution()];
}

export { type CatalogContext, type CatalogEntry } from "./entry.ts";
