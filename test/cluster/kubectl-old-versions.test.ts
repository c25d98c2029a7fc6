/** Manifests of versions that Kubernetes has removed: every kubectl writes them, and today's versions show them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { kubectls } from "./lab/index.ts";
import { root } from "./lab/lab.ts";
import { startKubectlBench } from "./lab/kubectl-bench.ts";
import type { KubectlBench, Result } from "./lab/kubectl-bench.ts";

const folder = join(root, "examples/broken");
let bench: KubectlBench | undefined;
before(async () => {
  bench = await startKubectlBench();
});
after(async () => await bench?.close());

const ingressWarning = (group: string, since: string): string =>
  `Warning: ${group}/v1beta1 Ingress is deprecated in ${since}, unavailable in v1.22+; use networking.k8s.io/v1 Ingress`;

for (const { version, path } of kubectls()) {
  describe(`kubectl ${version}`, () => {
    const kubectl = (args: readonly string[], input?: string): Promise<Result> => {
      if (bench === undefined) throw new Error("the test server did not start");
      return bench.kubectl(path, args, input);
    };
    const succeed = async (args: readonly string[], input?: string): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(args, input);
      assert.equal(code, 0, `kubectl ${args.join(" ")}\n${stdout}${stderr}`);
      return stdout;
    };

    test("an Ingress of networking.k8s.io/v1beta1 is stored as v1, with a warning that says so", async () => {
      const created = await kubectl(["create", "-f", join(folder, "old-ingress-networking.yaml")]);
      assert.equal(created.code, 0, created.stderr);
      assert.ok(created.stderr.includes(ingressWarning("networking.k8s.io", "v1.19+")), created.stderr);
      assert.equal(created.stdout, "ingress.networking.k8s.io/app-ingress created\n");
      const shown = "{.apiVersion} {.spec.rules[0].http.paths[0]}";
      assert.equal(
        await succeed(["get", "ingresses.v1.networking.k8s.io", "app-ingress", "-o", `jsonpath=${shown}`]),
        'networking.k8s.io/v1 {"backend":{"service":{"name":"web-service","port":{"number":80}}},"path":"/","pathType":"ImplementationSpecific"}',
      );
      const old = await succeed(["get", "ingresses.v1beta1.extensions", "app-ingress", "-o", `jsonpath=${shown}`]);
      assert.equal(
        old,
        'extensions/v1beta1 {"backend":{"serviceName":"web-service","servicePort":80},"path":"/","pathType":"ImplementationSpecific"}',
      );
      assert.match(await succeed(["get", "ingress"]), /^app-ingress +<none> +example\.com +80 +\d+s$/m);
      await succeed(["apply", "--server-side", "--force-conflicts", "-f", join(folder, "old-ingress-networking.yaml")]);
      const v1 = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: app-ingress}
spec:
  rules:
  - http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web-service, port: {number: 81}}}}
`;
      await succeed(["apply", "--server-side", "-f", "-"], v1);
      const port = [
        "get",
        "ingress",
        "app-ingress",
        "-o",
        "jsonpath={.spec.rules[*].http.paths[*].backend.service.port.number}",
      ];
      assert.equal(await succeed(port), "81");
      await succeed(["delete", "-f", join(folder, "old-ingress-networking.yaml")]);
    });

    test("an Ingress of extensions/v1beta1 keeps its old mistakes refused", async () => {
      const { code, stderr } = await kubectl(["create", "-f", join(folder, "old-ingress-extensions.yaml")]);
      assert.equal(code, 1);
      assert.match(stderr, /unknown field "(spec\.rules\[0\]\.http\.paths\[1\]\.backend\.)?serviceNme"/);
      const manifest = `apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: wear}
spec:
  backend: {serviceName: wear-service, servicePort: http}
`;
      const created = await kubectl(["create", "-f", "-"], manifest);
      assert.equal(created.code, 0, created.stderr);
      assert.ok(created.stderr.includes(ingressWarning("extensions", "v1.14+")), created.stderr);
      const backend = [
        "get",
        "ingresses.v1.networking.k8s.io",
        "wear",
        "-o",
        "jsonpath={.spec.defaultBackend.service}",
      ];
      assert.equal(await succeed(backend), '{"name":"wear-service","port":{"name":"http"}}');
      await succeed(["delete", "ingress", "wear"]);
    });

    test("a Deployment of extensions/v1beta1 gets that version's defaults", async () => {
      const created = await kubectl(["create", "-f", join(folder, "old-deployment.yaml")]);
      assert.equal(created.code, 0, created.stderr);
      const sentence =
        "extensions/v1beta1 Deployment is deprecated in v1.9+, unavailable in v1.16+; use apps/v1 Deployment";
      assert.ok(created.stderr.includes(`Warning: ${sentence}`), created.stderr);
      const name = "nginx-ingress-controller";
      const fields = "{.apiVersion} {.spec.strategy.rollingUpdate} {.spec.revisionHistoryLimit} {.metadata.labels}";
      assert.equal(
        await succeed(["get", "deployment", name, "-o", `jsonpath=${fields}`]),
        'apps/v1 {"maxSurge":1,"maxUnavailable":1} 2147483647 {"name":"nginx-ingress"}',
      );
      await succeed(["scale", "deployment", name, "--replicas=3"]);
      await succeed(["apply", "--force", "-f", join(folder, "old-deployment.yaml")]);
      await succeed(["delete", "-f", join(folder, "old-deployment.yaml")]);
    });

    test("a CronJob of batch/v1beta1 is stored as v1, with a warning that says so", async () => {
      const manifest = `apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: old}
spec:
  schedule: "*/5 * * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x}]}}}}
`;
      const created = await kubectl(["create", "-f", "-"], manifest);
      assert.equal(created.code, 0, created.stderr);
      const sentence = "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob";
      assert.ok(created.stderr.includes(`Warning: ${sentence}`), created.stderr);
      const fields = "{.apiVersion} {.spec.schedule} {.spec.successfulJobsHistoryLimit}";
      const shown = await succeed(["get", "cronjobs.v1.batch", "old", "-o", `jsonpath=${fields}`]);
      assert.equal(shown, "batch/v1 */5 * * * * 3");
      await succeed(["delete", "cronjob", "old"]);
    });
  });
}
