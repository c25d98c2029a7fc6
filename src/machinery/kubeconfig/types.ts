/** What a kubeconfig says, read. */

/** The current context of a kubeconfig, with everything that was in files read. */
export interface Kubeconfig {
  /** "https://192.168.60.1:6443". */
  readonly server: string;
  /** PEM; absent: the machine's own authorities. */
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
  /** Of the context; "default" where it says nothing. */
  readonly namespace: string;
  readonly skipsVerification: boolean;
  readonly serverName?: string;
}

/** A kubeconfig cannot be used; the message names the file and the field. */
export class KubeconfigError extends Error {
  override readonly name = "KubeconfigError";
  readonly code = "KubeconfigInvalid";
}
