export { createKubelet } from "./kubelet.ts";
export { announceShutdown, failPods } from "./node/shutdown.ts";
export type { KubeletSockets, MirrorPod } from "./options.ts";
