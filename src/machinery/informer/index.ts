export { createInformer } from "./informer.ts";
export type { Change, Informer, InformerOptions } from "./informer.ts";
export { createInformers } from "./informers.ts";
export type { Informers } from "./informers.ts";
export type { ListWatch, ListWatchScope } from "./list-watch.ts";
export { compareResourceVersions } from "./resource-version.ts";
export type { IndexFunction, ReadonlyStore } from "./store.ts";
