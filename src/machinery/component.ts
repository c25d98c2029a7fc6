/** What everything long-lived is: create it, run it until its signal aborts, wait until it is ready. */
export interface Component {
  /** Kubernetes' name of the part: "kubelet", "service-proxy". */
  readonly name: string;
  /**
   * Runs until `signal` aborts, then undoes what it holds (sockets, timers; kernel state only where the component is
   * switched off, not where its process merely ends) and resolves. Rejects when it cannot go on; the caller restarts it.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves once it serves; rejects when `run` failed first. */
  readonly ready: Promise<void>;
}
