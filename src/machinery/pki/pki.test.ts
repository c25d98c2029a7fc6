import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import { readKubeconfig } from "../kubeconfig/index.ts";
import { createClusterPki, issueCertificate } from "./index.ts";
import { exampleCluster } from "../../model/cluster-plan/index.ts";

const folder = mkdtempSync(join(tmpdir(), "netloom-pki-"));
after(() => rmSync(folder, { recursive: true }));
let folders = 0;

function configOf(changes: Partial<ClusterConfig> = {}): ClusterConfig {
  const config = exampleCluster(join(folder, String(++folders)));
  return { ...config, nodes: config.nodes.slice(0, 1), ...changes };
}

const clockAt = (now: number) => ({ now: () => now });
const today = Date.UTC(2026, 10, 20);

test("createClusterPki() makes certificates that its authority signed, for the names they serve", () => {
  const pki = createClusterPki({ config: configOf(), clock: clockAt(today) });
  const ca = new X509Certificate(pki.caCertificate);
  const server = new X509Certificate(pki.apiServer.certificate);
  assert.ok(ca.ca);
  assert.ok(server.checkIssued(ca) && server.verify(ca.publicKey));
  for (const address of ["127.0.0.1", "192.168.60.1", "10.96.0.1"]) assert.equal(server.checkIP(address), address);
  assert.equal(server.checkHost("kubernetes.default.svc.cluster.local"), "kubernetes.default.svc.cluster.local");
  assert.equal(server.checkHost("example.com"), undefined);
  const kubelet = new X509Certificate(pki.kubeletServing.get("node-1")?.certificate ?? "");
  assert.equal(kubelet.checkIP("192.168.60.11"), "192.168.60.11");
});

test("createClusterPki() reuses what it finds, and makes anew what no longer fits", () => {
  const config = configOf();
  const first = createClusterPki({ config, clock: clockAt(today) });
  const second = createClusterPki({ config, clock: clockAt(today) });
  assert.deepEqual(second.apiServer, first.apiServer);
  assert.deepEqual(second.serviceAccountKey, first.serviceAccountKey);
  const moved = createClusterPki({ config: { ...config, controlPlaneAddresses: ["10.9.9.9"] }, clock: clockAt(today) });
  assert.equal(moved.caCertificate, first.caCertificate);
  assert.equal(new X509Certificate(moved.apiServer.certificate).checkIP("10.9.9.9"), "10.9.9.9");
  const later = createClusterPki({ config, clock: clockAt(today + 360 * 86_400_000) });
  assert.notEqual(later.apiServer.certificate, first.apiServer.certificate);
});

test("createClusterPki() keeps its files to the user", () => {
  const config = configOf();
  createClusterPki({ config, clock: clockAt(today) });
  for (const name of ["pki", "kubeconfig"]) {
    const path = join(config.stateDir, name);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    for (const file of readdirSync(path)) assert.equal(statSync(join(path, file)).mode & 0o777, 0o600, file);
  }
});

test("the kubeconfigs name server, identity and authority", async () => {
  const config = configOf();
  const pki = createClusterPki({ config, clock: clockAt(today) });
  const admin = await readKubeconfig(join(config.stateDir, "kubeconfig/admin.conf"));
  assert.equal(admin.server, "https://127.0.0.1:6443");
  assert.equal(admin.ca, pki.caCertificate);
  const kubelet = await readKubeconfig(join(config.stateDir, "kubeconfig/kubelet-node-1.conf"));
  assert.equal(kubelet.server, "https://192.168.60.1:6443");
  const { subject } = new X509Certificate(kubelet.certificate ?? "");
  assert.equal(subject, "O=system:nodes\nCN=system:node:node-1");
});

test("issueCertificate() encodes addresses of both families, many groups and long names", () => {
  const issuer = issueCertificate({ commonName: "ca", usage: "ca", validDays: 1 }, { issuer: undefined, now: today });
  const request = {
    commonName: "n".repeat(200),
    organizations: ["a", "b"],
    usage: "server" as const,
    ipAddresses: ["fd00::1", "::", "1.2.3.4"],
    dnsNames: Array.from({ length: 50 }, (_, index) => `host-${index}.example.com`),
    validDays: 20_000,
  };
  const certificate = new X509Certificate(issueCertificate(request, { issuer, now: today }).certificate);
  assert.equal(certificate.checkIP("fd00::1"), "fd00::1");
  assert.equal(certificate.checkHost("host-49.example.com"), "host-49.example.com");
  assert.equal(certificate.validToDate.getUTCFullYear(), 2081);
});

test("readKubeconfig() says what is wrong with a file", async () => {
  const path = join(folder, "broken");
  const reads = async (text: string, message: RegExp): Promise<void> => {
    writeFileSync(path, text);
    await assert.rejects(readKubeconfig(path), message);
  };
  await reads(": : :", /^KubeconfigError: Cannot use the kubeconfig ".*broken": /);
  await reads("current-context: a", /contexts has no entry named "a"/);
  await reads("{}", /contexts has no entry named/);
  await assert.rejects(readKubeconfig(join(folder, "missing")), /ENOENT/);
  assert.ok(readFileSync(path));
});
