import { own } from "../../lib/own/index.ts";
/** What Kubernetes' own signers sign: the rules for each of their names. Pure; upstream's words. */

export { requestEndMs } from "./cleanup.ts";

/** What a certification request says, as far as signers care. */
export interface RequestedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

interface SignerRules {
  readonly required: readonly string[];
  readonly permitted: readonly string[];
  problem(requested: RequestedCertificate): string | undefined;
}

export const kubeletClientSigner = "kubernetes.io/kube-apiserver-client-kubelet";

const client = ["client auth", "digital signature", "key encipherment"];
const server = ["server auth", "digital signature", "key encipherment"];

const signers: Readonly<Record<string, SignerRules>> = {
  "kubernetes.io/kube-apiserver-client": { required: ["client auth"], permitted: client, problem: () => undefined },
  [kubeletClientSigner]: {
    required: ["client auth", "digital signature"],
    permitted: client,
    problem: (requested) => {
      if (hasAny(requested.dnsNames, requested.emailAddresses, requested.ipAddresses, requested.uris)) {
        if (requested.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
        if (requested.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
        return requested.ipAddresses.length > 0
          ? "IP subjectAltNames are not allowed"
          : "URI subjectAltNames are not allowed";
      }
      return nodeProblem(requested);
    },
  },
  "kubernetes.io/kubelet-serving": {
    required: ["server auth", "digital signature"],
    permitted: server,
    problem: (requested) => {
      if (!hasAny(requested.dnsNames, requested.ipAddresses)) return "DNS or IP subjectAltName is required";
      if (requested.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
      if (requested.uris.length > 0) return "URI subjectAltNames are not allowed";
      return nodeProblem(requested);
    },
  },
};

const hasAny = (...lists: readonly (readonly string[])[]): boolean => lists.some((list) => list.length > 0);

function nodeProblem({ commonName, organizations }: RequestedCertificate): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== "system:nodes")
    return "subject organization is not system:nodes";
  return commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node: ";
}

/** Is it ours to sign? */
export function isOwnSigner(signerName: string): boolean {
  return Object.hasOwn(signers, signerName);
}

/** Why the signer does not sign it; undefined where it does. */
export function signerProblem(
  signerName: string,
  { requested, usages }: { readonly requested: RequestedCertificate; readonly usages: readonly string[] },
): string | undefined {
  const rules = own(signers, signerName);
  if (rules === undefined) return `unrecognized signerName: "${signerName}"`;
  const problem = rules.problem(requested);
  if (problem !== undefined) return problem;
  const doesFit =
    rules.required.every((usage) => usages.includes(usage)) && usages.every((usage) => rules.permitted.includes(usage));
  return doesFit ? undefined : `usages did not match ${rules.permitted.join(",")}`;
}

const longestSeconds = 365 * 86_400;
const shortestSeconds = 600;

/** How long the certificate is good, in seconds: as asked for, but no longer than a year. */
export function certificateSeconds(expirationSeconds: number | undefined): number {
  return Math.min(longestSeconds, Math.max(shortestSeconds, expirationSeconds ?? longestSeconds));
}
