export { createReconciler } from "./reconciler.ts";
export type { Reconciler, ReconcilerOptions } from "./reconciler.ts";
