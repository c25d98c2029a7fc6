/** What can be set of the controllers; upstream's flags of the same names, times in milliseconds. */
export interface ControllerManagerConfig {
  /** How often nodes are looked at though nothing changes. */
  readonly nodeMonitorPeriodMs: number;
  /** Without a sign of life for so long a node counts as unreachable. */
  readonly nodeMonitorGracePeriodMs: number;
  /** The same for a node that never gave one. */
  readonly nodeStartupGracePeriodMs: number;
  /** More ended pods than this are deleted, the oldest first. */
  readonly terminatedPodThreshold: number;
  readonly podGarbageCollectionPeriodMs: number;
  /** A node is gone for so long before its pods are deleted for good. */
  readonly orphanedPodQuarantineMs: number;
  readonly maxEndpointsPerSlice: number;
}

export const defaultControllerManagerConfig: ControllerManagerConfig = {
  nodeMonitorPeriodMs: 5000,
  nodeMonitorGracePeriodMs: 40_000,
  nodeStartupGracePeriodMs: 60_000,
  terminatedPodThreshold: 12_500,
  podGarbageCollectionPeriodMs: 20_000,
  orphanedPodQuarantineMs: 40_000,
  maxEndpointsPerSlice: 100,
};
