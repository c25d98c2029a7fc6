export { createKubelet } from "./kubelet.ts";
export { announceShutdown, failPods } from "./node/shutdown.ts";
export type { KubeletSockets, MirrorPod } from "./options.ts";
export { limitConcurrency, type StartLimit } from "./pods/limit-concurrency.ts";
