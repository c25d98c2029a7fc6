/** Each way in which printed manifests are broken: what every kubectl of the machine and we say to it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { kubectls, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

interface Case {
  readonly name: string;
  readonly command: string;
  readonly expect: readonly {
    /** "any", "1.20", or ">=1.27". */
    readonly kubectl: string;
    readonly contains: readonly string[];
    readonly exitCode: number;
    /** Nothing is printed at all. */
    readonly isEmpty?: boolean;
  }[];
  /** A manifest that must be there first, from this folder. */
  readonly needs?: string;
}

/** Told of every request for Endpoints, which "kubectl describe service" makes before 1.31. */
const endpointsWarning = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n";
const folder = join(root, "examples/broken");
const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8")) as readonly Case[];
const minor = (version: string): number => Number(version.split(".")[1]);

function applies(range: string, version: string): boolean {
  if (range === "any") return true;
  if (range.startsWith(">=")) return minor(version) >= minor(range.slice(2));
  return minor(range) === minor(version);
}

const lab = makeLab();
before(async () => {
  const up = await lab.netloom(["up", "--nodes", "1"]);
  assert.equal(up.code, 0, up.stderr);
});
after(async () => await lab.end());

for (const { version, path } of kubectls()) {
  describe(`kubectl ${version}`, () => {
    afterEach(async () => {
      const left = ["pods,deployments,ingresses", "--all", "--now"];
      assert.equal((await lab.kubectl(["delete", ...left], { kubectl: path })).code, 0);
      await lab.kubectl(["delete", "service", "web-service"], { kubectl: path });
    });
    for (const { name, command, expect, needs } of cases) {
      const expected = expect.filter(({ kubectl }) => applies(kubectl, version));
      test(name, { skip: expected.length === 0 ? "nothing is said of this version" : false }, async () => {
        if (needs !== undefined) assert.equal((await lab.kubectl(["create", "-f", join(folder, needs)])).code, 0);
        const answer = await lab.shell(`kubectl() { ${path} "$@"; }; cd ${folder} && ${command}`);
        const said = answer.stdout + answer.stderr;
        for (const { contains, exitCode, isEmpty } of expected) {
          if (isEmpty === true) assert.equal(said.replace(endpointsWarning, ""), "");
          for (const part of contains) assert.ok(said.includes(part), `expected: ${part}\nactual: ${said}`);
          assert.equal(answer.code, exitCode, said);
        }
      });
    }
  });
}
