export { createKubelet } from "./kubelet.ts";
export type { KubeletSockets, MirrorPod } from "./options.ts";
