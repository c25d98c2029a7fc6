export { createReconciler } from "./reconciler.ts";
export type { Reconciler, ReconcilerOptions, ReconcileResult } from "./reconciler.ts";
