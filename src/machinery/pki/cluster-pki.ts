/** The keys and certificates of one cluster, kept in its state folder. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostPort } from "../../lib/ip/index.ts";
import { clusterPaths } from "../../model/cluster-config.ts";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import type { Clock } from "../clock.ts";
import { kubeconfigText } from "../kubeconfig/index.ts";
import { createSigningKey, issueCertificate, signCertificate } from "./certificate.ts";
import type { CertificateAndKey, CertificateBody, CertificateRequest } from "./certificate.ts";

export interface ClusterPki {
  /** PEM; what every client of the cluster trusts. */
  readonly caCertificate: string;
  /** The authority's own key signs what clients ask for later. */
  readonly ca: CertificateAndKey;
  readonly apiServer: CertificateAndKey;
  /** With which the API server calls kubelets. */
  readonly kubeletClient: CertificateAndKey;
  /** With which each kubelet serves its API, by node. */
  readonly kubeletServing: ReadonlyMap<string, CertificateAndKey>;
  /** Signs service account tokens (ES256); PEM. */
  readonly serviceAccountKey: { readonly privateKey: string; readonly publicKey: string };
  /** Makes a key and signs its certificate with the cluster's authority; nothing is stored. */
  issue(request: CertificateRequest): CertificateAndKey;
  /** Signs a certificate for a key that somebody else made. PEM. */
  sign(body: CertificateBody): string;
}

const authorityDays = 3650;
const leafDays = 365;
/** What is nearer to its end is made anew. */
const renewDays = 30;

/**
 * Makes what is missing, expired or no longer fits `config`, reuses the rest, and writes the kubeconfigs of everyone:
 * `admin.conf` (the host's), `service-proxy.conf` and `kubelet-<node>.conf` (inside the cluster). Folders are 0700, files
 * 0600. Synchronous: it happens once, before anything serves.
 */
export function createClusterPki(options: {
  readonly config: ClusterConfig;
  readonly clock: Pick<Clock, "now">;
}): ClusterPki {
  const { config } = options;
  const paths = clusterPaths(config);
  const now = options.clock.now();
  for (const folder of [paths.pki, paths.kubeconfigs]) privateFolder(folder);

  const keep = (name: string, request: CertificateRequest, issuer: CertificateAndKey | undefined) => {
    const files = { certificate: join(paths.pki, `${name}.crt`), key: join(paths.pki, `${name}.key`) };
    const stored = readPair(files);
    if (stored !== undefined && fits(stored, { request, issuer, now })) return stored;
    const made = issueCertificate(request, { issuer, now });
    writePrivate(files.key, made.key);
    writePrivate(files.certificate, made.certificate);
    return made;
  };
  const ca = keep("ca", { commonName: "netloom-ca", usage: "ca", validDays: authorityDays }, undefined);
  const issued = (name: string, request: Omit<CertificateRequest, "validDays">): CertificateAndKey =>
    keep(name, { ...request, validDays: leafDays }, ca);

  const kubeconfig = (name: string, server: string, user: Pick<CertificateRequest, "commonName" | "organizations">) => {
    const pair = issued(name, { ...user, usage: "client" });
    const text = kubeconfigText({ cluster: config.name, user: user.commonName, server, ca: ca.certificate, ...pair });
    const path = join(paths.kubeconfigs, `${name}.conf`);
    if (readText(path) !== text) writePrivate(path, text);
  };
  const inside = `https://${hostPort(config.controlPlaneAddresses[0], 6443)}`;
  kubeconfig("admin", `https://127.0.0.1:${config.apiPort}`, {
    commonName: "kubernetes-admin",
    organizations: ["system:masters"],
  });
  kubeconfig("service-proxy", inside, { commonName: "system:kube-proxy", organizations: [] });
  for (const node of config.nodes) {
    kubeconfig(`kubelet-${node.name}`, inside, {
      commonName: `system:node:${node.name}`,
      organizations: ["system:nodes"],
    });
  }

  return {
    caCertificate: ca.certificate,
    ca,
    apiServer: issued("apiserver", {
      commonName: "kube-apiserver",
      usage: "server",
      dnsNames: serverNames(config.clusterDomain),
      ipAddresses: ["127.0.0.1", ...config.controlPlaneAddresses, config.kubernetesServiceAddress],
    }),
    kubeletClient: issued("apiserver-kubelet-client", {
      commonName: "kube-apiserver-kubelet-client",
      organizations: ["system:masters"],
      usage: "client",
    }),
    kubeletServing: new Map(
      config.nodes.map((node) => [
        node.name,
        issued(`kubelet-serving-${node.name}`, {
          commonName: `system:node:${node.name}`,
          organizations: ["system:nodes"],
          usage: "server",
          dnsNames: [node.name],
          ipAddresses: [...node.addresses, "127.0.0.1"],
        }),
      ]),
    ),
    serviceAccountKey: signingKey(paths.pki),
    issue: (request) => issueCertificate(request, { issuer: ca, now: options.clock.now() }),
    sign: (body) => signCertificate(body, { issuer: ca, now: options.clock.now() }),
  };
}

function serverNames(clusterDomain: string): readonly string[] {
  const inNamespace = "kubernetes.default";
  return ["localhost", "kubernetes", inNamespace, `${inNamespace}.svc`, `${inNamespace}.svc.${clusterDomain}`];
}

function signingKey(folder: string): ClusterPki["serviceAccountKey"] {
  const path = join(folder, "sa.key");
  const stored = readText(path);
  if (stored !== undefined) {
    const publicKey = createPublicKey(createPrivateKey(stored)).export({ type: "spki", format: "pem" }) as string;
    return { privateKey: stored, publicKey };
  }
  const made = createSigningKey();
  writePrivate(path, made.privateKey);
  writePrivate(join(folder, "sa.pub"), made.publicKey);
  return made;
}

/** Is the stored certificate signed by this authority, long enough valid, and good for all names wanted? */
function fits(
  stored: CertificateAndKey,
  { request, issuer, now }: { request: CertificateRequest; issuer: CertificateAndKey | undefined; now: number },
): boolean {
  const certificate = new X509Certificate(stored.certificate);
  const authority = issuer === undefined ? certificate : new X509Certificate(issuer.certificate);
  const isLongValid = certificate.validToDate.getTime() - now > renewDays * 86_400_000;
  return (
    isLongValid &&
    certificate.verify(authority.publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(stored.key)) &&
    (request.dnsNames ?? []).every((name) => certificate.checkHost(name) !== undefined) &&
    (request.ipAddresses ?? []).every((address) => certificate.checkIP(address) !== undefined)
  );
}

function readPair(files: { readonly certificate: string; readonly key: string }): CertificateAndKey | undefined {
  const certificate = readText(files.certificate);
  const key = readText(files.key);
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

/** Whole or not at all: a crash in the middle leaves the old file. */
function writePrivate(path: string, text: string): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
