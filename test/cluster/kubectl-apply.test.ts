/** Server-side apply as every kubectl of this machine does it, against a server without a cluster. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { kubectls } from "./lab/index.ts";
import { startKubectlBench } from "./lab/kubectl-bench.ts";
import type { KubectlBench, Result } from "./lab/kubectl-bench.ts";

const all = kubectls();
let bench: KubectlBench | undefined;

before(async () => {
  bench = await startKubectlBench();
});
after(async () => await bench?.close());

function run(path: string, args: readonly string[], input = ""): Promise<Result> {
  if (bench === undefined) throw new Error("the test server did not start");
  return bench.kubectl(path, args, input);
}

function manifestOf(name: string, spec: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
${spec}  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
      - name: web
        image: nginx
        ports:
        - containerPort: 80
`;
}

for (const { version, path } of all) {
  describe(`kubectl ${version} apply --server-side`, () => {
    const name = `a${version.replace(".", "-")}`;
    const minor = Number(version.split(".")[1]);
    const succeed = async (args: readonly string[], input?: string): Promise<string> => {
      const { code, stdout, stderr } = await run(path, args, input);
      assert.equal(code, 0, `kubectl ${args.join(" ")}\n${stdout}${stderr}`);
      return stdout;
    };
    const ssa = ["apply", "--server-side", "-f", "-"];
    const read = (field: string): Promise<string> => succeed(["get", "deployment", name, "-o", `jsonpath={${field}}`]);

    test("creates, changes, removes what is dropped, and shares what others set", async () => {
      const two = manifestOf(name, "  replicas: 2\n  minReadySeconds: 3\n");
      assert.equal(await succeed(ssa, two), `deployment.apps/${name} serverside-applied\n`);
      const version1 = await read(".metadata.resourceVersion");
      await succeed(ssa, two);
      assert.equal(await read(".metadata.resourceVersion"), version1, "applying the same again writes nothing");
      await succeed(ssa, manifestOf(name, "  replicas: 2\n"));
      assert.equal(await read(".spec.minReadySeconds"), "");
      const managers = await read(".metadata.managedFields[*].manager");
      assert.equal(managers, "kubectl");

      await succeed(["scale", "deployment", name, "--replicas=5"]);
      const refused = await run(path, ssa, manifestOf(name, "  replicas: 2\n"));
      assert.equal(refused.code, 1);
      const manager = /conflict with "kubectl[\w.-]*"( with subresource "scale")? using apps\/v1: \.spec\.replicas/;
      assert.match(refused.stderr, manager);
      await succeed([...ssa, "--force-conflicts"], manifestOf(name, "  replicas: 2\n"));
      assert.equal(await read(".spec.replicas"), "2");
    });

    test("tells two managers apart and asks about nothing else", async () => {
      const other = [...ssa, "--field-manager=other"];
      const refused = await run(path, other, manifestOf(name, "  replicas: 4\n"));
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /Apply failed with 1 conflict: conflict with "kubectl": \.spec\.replicas/);
      await succeed(other, manifestOf(name, "  replicas: 2\n  paused: true\n"));
      assert.equal(await read('.metadata.managedFields[?(@.operation=="Apply")].manager'), "kubectl other");
      await succeed(ssa, manifestOf(name, ""));
      assert.equal(await read(".spec.replicas"), "2", "the other manager still wants it");
    });

    test("dry runs change nothing, diff tells what would", async () => {
      const changed = manifestOf(name, "  revisionHistoryLimit: 7\n");
      await succeed([...ssa, "--dry-run=server"], changed);
      assert.equal(await read(".spec.revisionHistoryLimit"), "10");
      const different = await run(path, ["diff", "--server-side", "-f", "-"], changed);
      assert.equal(different.code, 1, different.stderr);
      assert.match(different.stdout, /^\+ +revisionHistoryLimit: 7$/m);
      await succeed(ssa, changed);
      const same = await run(path, ["diff", "--server-side", "-f", "-"], changed);
      assert.equal(same.code, 0, same.stdout + same.stderr);
      await succeed(["delete", "deployment", name]);
    });

    test("takes over what client-side apply made", async () => {
      const first = manifestOf(name, "  replicas: 1\n  minReadySeconds: 1\n");
      await succeed(["apply", "-f", "-"], first);
      await succeed(ssa, manifestOf(name, "  replicas: 3\n  minReadySeconds: 1\n"));
      assert.equal(await read(".spec.replicas"), "3");
      // From 1.26 kubectl hands the old manager's fields over; what is then dropped goes.
      await succeed(ssa, manifestOf(name, "  replicas: 3\n"));
      if (minor >= 26) assert.equal(await read(".spec.minReadySeconds"), "");
      await succeed(["apply", "-f", "-"], manifestOf(name, "  replicas: 1\n"));
      assert.equal(await read(".spec.replicas"), "1");
      await succeed(["delete", "deployment", name]);
    });

    // Asked of the newest only: what the server does is the same.
    test("applies to the subresources that kubectl can name", { skip: minor < 33 }, async () => {
      await succeed(["delete", "deployment", name, "--ignore-not-found"]);
      await succeed(ssa, manifestOf(name, "  replicas: 1\n"));
      const status = "status:\n  conditions:\n  - {type: Odd, status: 'True', reason: Test, message: m}\n";
      const head = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\n`;
      await succeed([...ssa, "--subresource=status", "--field-manager=s"], head + status);
      assert.equal(await read(".status.conditions[*].type"), "Odd");
      const owner = '.metadata.managedFields[?(@.manager=="s")]';
      assert.equal(await read(`${owner}.subresource`), "status");
      await succeed([...ssa, "--subresource=status", "--field-manager=s"], `${head}status: {}\n`);
      assert.equal(await read(".status.conditions[*].type"), "");
      await succeed(["delete", "deployment", name]);
    });

    test("refuses an unknown field with its path", async () => {
      const { code, stderr } = await run(path, [...ssa, "--validate=false"], manifestOf(name, "  replica: 2\n"));
      assert.equal(code, 1);
      assert.match(stderr, /failed to create typed patch object \(default\/[\w-]+; apps\/v1, Kind=Deployment\)/);
      assert.match(stderr, /\.spec\.replica: field not declared in schema/);
    });

    // kubectl lists two dozen kinds for it, slowly: the oldest and the newest speak for the others.
    const isEnd = path === all[0]?.path || path === all.at(-1)?.path;
    test("prunes what is no longer in the set", { skip: !isEnd }, async () => {
      const map = (suffix: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-${suffix}\n  labels: {set: ${name}}\n---\n`;
      const prune = ["apply", "--prune", "-l", `set=${name}`, "-f", "-"];
      await succeed(prune, map("one") + map("two"));
      assert.match(await succeed(prune, map("one")), new RegExp(`configmap/${name}-two pruned`));
      assert.equal((await run(path, ["get", "configmap", `${name}-two`])).code, 1);
    });
  });
}
