/**
 * A network namespace that is kept alive by a bind mount at `path`.
 *
 * Network namespaces belong to threads. Code in `run` must be synchronous and must not touch libuv's thread pool
 * (async fs, dns.lookup): a pool thread keeps the namespace of the thread that first caused it. Sockets stay in the
 * namespace they were made in, whichever thread uses them later.
 */
export interface NetworkNamespace {
  readonly path: string;
  /** Runs `work` on this thread inside the namespace and returns to the thread's home namespace, also after a throw. */
  run<T>(work: () => T): T;
  /** Closes the handle; the namespace lives on while its mount or a process holds it. */
  close(): void;
}
