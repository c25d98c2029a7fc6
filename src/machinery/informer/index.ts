export { createInformer } from "./informer.ts";
export type { Change, Informer } from "./informer.ts";
export { createInformers } from "./informers.ts";
export type { Informers } from "./informers.ts";
export type { ListWatch } from "./list-watch.ts";
