export { applyConfiguration } from "./apply.ts";
export type { ApplyRequest } from "./apply.ts";
export { readConfiguration } from "./configuration.ts";
export { ownersOfParent, ownersOfScale } from "./scale-owners.ts";
export type { Subject } from "./subject.ts";
export { trackCreate, trackUpdate } from "./track.ts";
export type { Writer } from "./track.ts";
