/** The cluster's certificate authority and what it signs. */
export { issueCertificate } from "./certificate.ts";
export type { CertificateAndKey, CertificateRequest } from "./certificate.ts";
export { createClusterPki } from "./cluster-pki.ts";
export type { ClusterPki } from "./cluster-pki.ts";
