/** The API server as kubectl sees it, for every version on this machine: no cluster behind it, so no pod ever runs. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startTestServer } from "../contract/api-server.ts";
import type { TestServer } from "../contract/api-server.ts";
import { kubectls } from "./lab/index.ts";
import { patience } from "../patience.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let server: TestServer | undefined;
const folder = mkdtempSync(join(tmpdir(), "netloom-kubectl-"));
const kubeconfig = join(folder, "config");

before(async () => {
  server = await startTestServer();
  writeFileSync(kubeconfig, server.kubeconfig, { mode: 0o600 });
});

after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

function run(program: string, args: readonly string[], input = ""): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env["PATH"], HOME: folder, KUBECONFIG: kubeconfig };
    const child = execFile(program, args, { env, timeout: 20_000 * patience }, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : Number(error !== null);
      // The difference of versions is what we are here for.
      resolve({ code, stdout, stderr: stderr.replace(/^WARNING: version difference.*\n/gm, "") });
    });
    child.stdin?.end(input);
  });
}

const webService = `apiVersion: v1
kind: Service
metadata:
  name: web-service
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: 80
`;

// Two at a time: most of it is kubectl reading what the server serves.
describe("the API server", { concurrency: 2 }, () => {
  for (const { version, path: program } of kubectls()) {
    const namespace = `test-${version.replace(".", "-")}`;

    // Within a version one after the other: each test builds on the one before.
    describe(`kubectl ${version}`, { concurrency: 1 }, () => {
      const kubectl = (...args: readonly string[]): Promise<Outcome> => run(program, ["-n", namespace, ...args]);
      const succeeds = async (args: readonly string[], input = ""): Promise<string> => {
        const outcome = await run(program, ["-n", namespace, ...args], input);
        assert.equal(outcome.code, 0, `kubectl ${args.join(" ")}: ${outcome.stderr}`);
        return outcome.stdout;
      };

      test("create makes namespaces, accounts, maps, secrets, deployments and services", async () => {
        assert.equal(await succeeds(["create", "namespace", namespace]), `namespace/${namespace} created\n`);
        assert.equal(await succeeds(["create", "serviceaccount", "default"]), "serviceaccount/default created\n");
        assert.equal(await succeeds(["create", "configmap", "m", "--from-literal=a=b"]), "configmap/m created\n");
        assert.equal(await succeeds(["create", "secret", "generic", "s", "--from-literal=a=b"]), "secret/s created\n");
        assert.equal(await succeeds(["create", "deployment", "web", "--image=nginx"]), "deployment.apps/web created\n");
        assert.equal(await succeeds(["expose", "deployment", "web", "--port=80"]), "service/web exposed\n");
        assert.equal(
          await succeeds(["run", "httpbin", "--image=httpbin", "--labels=app=web"]),
          "pod/httpbin created\n",
        );
        assert.equal(await succeeds(["get", "secret", "s", "-o", "jsonpath={.data.a}"]), "Yg==");
      });

      test("create -f, apply, edit by patch, and delete -f", async () => {
        assert.equal(await succeeds(["create", "-f", "-"], webService), "service/web-service created\n");
        await succeeds(["apply", "-f", "-"], webService);
        const changed = webService.replace("targetPort: 80", "targetPort: 8080");
        assert.equal(await succeeds(["apply", "-f", "-"], changed), "service/web-service configured\n");
        assert.equal(await succeeds(["apply", "-f", "-"], changed), "service/web-service unchanged\n");
        const patch = '{"spec":{"ports":[{"port":80,"targetPort":9090}]}}';
        assert.equal(await succeeds(["patch", "svc", "web-service", "-p", patch]), "service/web-service patched\n");
        const description = await succeeds(["describe", "service", "web-service"]);
        assert.match(description, /^Type: +ClusterIP$/m);
        assert.match(description, /^TargetPort: +9090\/TCP$/m);
        assert.match(description, /^Endpoints: +(<none>)?$/m);
        assert.equal((await succeeds(["delete", "-f", "-"], webService)).split('"')[1], "web-service");
      });

      test("get prints upstream's columns", async () => {
        const header = (text: string): string => text.split("\n")[0]?.replace(/ +/g, " ").trim() ?? "";
        const services = await succeeds(["get", "services", "-o", "wide"]);
        assert.equal(header(services), "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR");
        const pods = await succeeds(["get", "pods", "-o", "wide"]);
        assert.equal(header(pods), "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES");
        assert.match(pods, /^httpbin +0\/1 +Pending +0 +\S+ +<none> +<none> +<none> +<none>$/m);
        assert.match(await succeeds(["get", "all"]), /^deployment.apps\/web +0\/1/m);
        assert.match(await succeeds(["get", "pods", "-l", "app=web", "-o", "name"]), /^pod\/httpbin$/m);
        assert.equal(await succeeds(["get", "pods", "--field-selector=status.phase=Running", "-o", "name"]), "");
      });

      test("label, annotate, scale, replace and set image", async () => {
        assert.match(await succeeds(["label", "deployment", "web", "tier=front"]), /labeled/);
        assert.match(await succeeds(["annotate", "deployment", "web", "note=x"]), /annotate/);
        assert.match(await succeeds(["scale", "deployment", "web", "--replicas=3"]), /scaled/);
        assert.equal(await succeeds(["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"]), "3");
        assert.match(await succeeds(["set", "image", "deployment/web", "nginx=nginx:1.27"]), /image updated/);
        const stored = await succeeds(["get", "configmap", "m", "-o", "json"]);
        assert.match(await succeeds(["replace", "-f", "-"], stored.replace('"b"', '"c"')), /replaced/);
      });

      test("api-resources, explain, version and wait", async () => {
        assert.match(await succeeds(["api-resources"]), /^services +svc +v1 +true +Service$/m);
        assert.match(await succeeds(["explain", "service.spec"]), /clusterIP/);
        assert.match((await kubectl("version")).stdout, /v1\.35\.0\+netloom/);
        assert.match(
          await succeeds(["wait", "--for=condition=Ready=False", "pod/none", "--timeout=1s"]).catch(String),
          /none/,
        );
      });

      test("get -w shows what changes", async () => {
        const watching = run(program, [
          "-n",
          namespace,
          "get",
          "configmaps",
          "-w",
          "--request-timeout=3s",
          "-o",
          "name",
        ]);
        await succeeds(["create", "configmap", "watched", "--from-literal=a=b"]);
        assert.match((await watching).stdout, /^configmap\/watched$/m);
      });

      test("mistakes are told in upstream's words", async () => {
        const again = await kubectl("create", "configmap", "m");
        assert.match(again.stderr, /configmaps "m" already exists/);
        const missing = await kubectl("get", "pod", "missing");
        assert.equal(missing.stderr, 'Error from server (NotFound): pods "missing" not found\n');
        const port = await kubectl("create", "service", "nodeport", "low", "--tcp=80:80", "--node-port=80");
        assert.match(
          port.stderr,
          /spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range/,
        );
        const typing = await run(
          program,
          ["-n", namespace, "create", "-f", "-"],
          webService.replace("targetPort", "targetprt"),
        );
        assert.equal(typing.code, 1);
        assert.match(typing.stderr, /unknown field|targetprt/);
        const logs = await kubectl("logs", "httpbin");
        assert.match(logs.stderr, /pod httpbin does not have a host assigned/);
      });

      test("delete removes all of it", async () => {
        await succeeds(["delete", "pods,deployments,services,configmaps,secrets", "--all"]);
        assert.equal(await succeeds(["get", "pods,deployments,services,configmaps,secrets", "-o", "name"]), "");
      });
    });
  }
});
