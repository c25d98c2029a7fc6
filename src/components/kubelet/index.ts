export { createKubelet } from "./kubelet.ts";
export type { KubeletOptions, KubeletServing, KubeletSockets, MirrorPod, PodNetworkPlugin } from "./options.ts";
