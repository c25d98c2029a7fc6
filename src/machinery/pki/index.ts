/** The cluster's certificate authority and what it signs. */
export { issueCertificate } from "./certificate.ts";
export type { CertificateAndKey, CertificateBody, CertificateRequest } from "./certificate.ts";
export { parseCertificationRequest } from "./certification-request.ts";
export type { CertificationRequest } from "./certification-request.ts";
export { createClusterPki } from "./cluster-pki.ts";
export type { ClusterPki } from "./cluster-pki.ts";
export { createTokenSigner } from "./token-signer.ts";
export type { TokenSigner } from "./token-signer.ts";
