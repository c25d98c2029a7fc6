/** Who am I and what may I: every kubectl's own commands about identity, against the API server and its controllers. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubeconfigText } from "../../src/machinery/kubeconfig/index.ts";
import { startTestServer } from "../contract/api-server.ts";
import type { TestServer } from "../contract/api-server.ts";
import { certificationRequest } from "../contract/certification-request.ts";
import { startControllers } from "../contract/controllers.ts";
import { kubectls } from "./lab/kubectls.ts";
import { patience } from "../patience.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let server: TestServer | undefined;
let stopControllers: (() => Promise<void>) | undefined;
const folder = mkdtempSync(join(tmpdir(), "netloom-identity-"));
const kubeconfig = join(folder, "config");

function running(): TestServer {
  if (server === undefined) throw new Error("the test server did not start");
  return server;
}

before(async () => {
  server = await startTestServer();
  stopControllers = await startControllers(server);
  writeFileSync(kubeconfig, server.kubeconfig, { mode: 0o600 });
});

after(async () => {
  await stopControllers?.();
  await server?.close();
  rmSync(folder, { recursive: true });
});

function run(
  program: string,
  args: readonly string[],
  options: { input?: string; config?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: options.config ?? kubeconfig };
    const child = execFile(program, args, { env, timeout: 20_000 * patience }, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : Number(error !== null);
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(options.input ?? "");
  });
}

const minorOf = (version: string): number => Number(version.split(".")[1]);
const squeezed = (text: string): string => text.replace(/ +/g, " ");

const reconciled = (namespace: string): string => `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reads, namespace: ${namespace}}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reads, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reads}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: rita}
`;

const signingRequest = (name: string): string => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const request = certificationRequest({ commonName: name, organizations: ["devs"], privateKey });
  return `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec: {request: ${request}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}
`;
};

for (const { version, path } of kubectls()) {
  describe(`kubectl ${version}`, { concurrency: 1, skip: !existsSync(path) }, () => {
    const namespace = `identity-${version.replace(".", "-")}`;
    const succeeds = async (args: readonly string[], input = ""): Promise<string> => {
      const outcome = await run(path, args, { input });
      assert.equal(outcome.code, 0, `kubectl ${args.join(" ")}: ${outcome.stderr}`);
      return outcome.stdout;
    };

    test("auth can-i answers for me and for others, and fails for no", async () => {
      await succeeds(["create", "namespace", namespace]);
      assert.equal(await succeeds(["auth", "can-i", "create", "deployments"]), "yes\n");
      const no = await run(path, ["auth", "can-i", "list", "secrets", "--as", "nobody"]);
      assert.deepEqual([no.code, no.stdout], [1, "no\n"]);
      assert.equal(
        await succeeds(["auth", "can-i", "get", "secrets", "--as", "nobody", "--as-group", "system:masters"]),
        "yes\n",
      );
      assert.equal(await succeeds(["auth", "can-i", "get", "/healthz", "--as", "nobody"]), "yes\n");
    });

    test("auth can-i --list shows what roles give", async () => {
      const list = squeezed(
        await succeeds(["auth", "can-i", "--list", "--as", "nobody", "--as-group", "system:authenticated"]),
      );
      assert.match(list, /^Resources Non-Resource URLs Resource Names Verbs$/m);
      assert.match(list, /^selfsubjectaccessreviews\.authorization\.k8s\.io \[\] \[\] \[create\]$/m);
      assert.match(list, /^ \[\/healthz\] \[\] \[get\]$/m);
      assert.match(squeezed(await succeeds(["auth", "can-i", "--list"])), /^\*\.\* \[\] \[\] \[\*\]$/m);
    });

    test("auth reconcile makes and completes roles and bindings", async () => {
      const made = await succeeds(["auth", "reconcile", "-f", "-"], reconciled(namespace));
      assert.equal(
        made,
        "role.rbac.authorization.k8s.io/reads reconciled\nrolebinding.rbac.authorization.k8s.io/reads reconciled\n",
      );
      assert.equal(await succeeds(["auth", "can-i", "get", "pods", "-n", namespace, "--as", "rita"]), "yes\n");
      const more = reconciled(namespace).replace("verbs: [get]", "verbs: [list]");
      await succeeds(["auth", "reconcile", "-f", "-"], more);
      const verbs = ["get", "role", "reads", "-n", namespace, "-o", "jsonpath={.rules[*].verbs[*]}"];
      assert.deepEqual((await succeeds(verbs)).split(" ").toSorted(), ["get", "list"]);
      const refused = await run(path, ["get", "secrets", "-n", namespace, "--as", "rita"]);
      assert.equal(
        refused.stderr,
        `Error from server (Forbidden): secrets is forbidden: User "rita" cannot list resource "secrets" in API group "" in the namespace "${namespace}"\n`,
      );
    });

    test("certificate approve lets the signer sign, deny does not", async () => {
      const name = `jane-${version.replace(".", "-")}`;
      await succeeds(["create", "-f", "-"], signingRequest(name));
      // Before 1.22 it speaks of the API's first version, which is no more.
      if (minorOf(version) < 22) return;
      assert.equal(
        await succeeds(["certificate", "approve", name]),
        `certificatesigningrequest.certificates.k8s.io/${name} approved\n`,
      );
      const deadline = Date.now() + 5000 * patience;
      while (!(await succeeds(["get", "csr", name, "-o", "jsonpath={.status.certificate}"])) && Date.now() < deadline);
      assert.match(squeezed(await succeeds(["get", "csr", name])), /Approved,Issued/);
      await succeeds(["create", "-f", "-"], signingRequest(`${name}-denied`));
      await succeeds(["certificate", "deny", `${name}-denied`]);
      assert.match(await succeeds(["get", "csr", `${name}-denied`]), /Denied/);
    });

    // 1.27 knows only beta versions of the question, which no server of today answers.
    test("auth whoami shows the administrator", { skip: minorOf(version) < 28 }, async () => {
      const text = squeezed(await succeeds(["auth", "whoami"]));
      assert.match(text, /^Username kubernetes-admin$/m);
      assert.match(text, /^Groups \[system:masters system:authenticated\]$/m);
    });

    test("create token makes a token that works", { skip: minorOf(version) < 24 }, async () => {
      await succeeds(["create", "serviceaccount", "robot", "-n", namespace]);
      const token = (await succeeds(["create", "token", "robot", "-n", namespace, "--duration=10m"])).trim();
      const config = join(folder, `${namespace}-robot`);
      const { url, pki } = running();
      const text = kubeconfigText({
        cluster: "test",
        user: "robot",
        server: url,
        ca: pki.caCertificate,
        certificate: "",
        key: "",
      });
      const withToken = text.replace(/ +client-certificate-data:.*\n +client-key-data:.*\n/, `      token: ${token}\n`);
      writeFileSync(config, withToken, { mode: 0o600 });
      const refused = await run(path, ["get", "nodes"], { config });
      assert.match(
        refused.stderr,
        new RegExp(`User "system:serviceaccount:${namespace}:robot" cannot list resource "nodes"`),
      );
      await succeeds([
        "create",
        "rolebinding",
        "robot",
        "--clusterrole=view",
        `--serviceaccount=${namespace}:robot`,
        "-n",
        namespace,
      ]);
      assert.equal((await run(path, ["get", "pods", "-n", namespace, "-o", "name"], { config })).code, 0);
    });
  });
}
