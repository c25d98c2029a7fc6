/** The lessons' manifests are accepted as they stand, and what runs in them becomes ready. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

const examples = join(root, "examples");
const lessons = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "broken")
  .map(({ name }) => name);

const lab = makeLab();
before(async () => {
  const up = await lab.netloom(["up"]);
  assert.equal(up.code, 0, up.stderr);
});
after(async () => await lab.end());

test("there is a lesson for each document", () => {
  for (const document of ["000", "001", "002", "003", "004"]) {
    assert.ok(
      lessons.some((lesson) => lesson.startsWith(document)),
      document,
    );
  }
});

for (const lesson of lessons) {
  test(`${lesson}: every manifest is accepted, explained in a README, and its pods become ready`, async () => {
    const folder = join(examples, lesson);
    assert.match(readFileSync(join(folder, "README.md"), "utf8"), /kubectl /);
    const namespace = `lesson-${lesson}`;
    assert.equal((await lab.kubectl(["create", "namespace", namespace])).code, 0);
    const manifests = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
    for (const file of manifests) {
      // A manifest that names its namespace goes there.
      const names = /^ {2}namespace:/m.test(readFileSync(join(folder, file), "utf8"));
      const answer = await lab.kubectl([...(names ? [] : ["-n", namespace]), "apply", "-f", join(folder, file)]);
      // Manifests of one lesson may show two ways to the same port: then the second says so, and is taken after it.
      const isTaken = answer.stderr.includes("provided port is already allocated");
      assert.ok(answer.code === 0 || isTaken, `${file}: ${answer.stderr}`);
    }
    await eventually(
      async () => {
        const pods = await lab.kubectl(["-n", namespace, "get", "pods", "-o", "wide", "--no-headers"]);
        const waiting = pods.stdout
          .split("\n")
          .filter((line) => line !== "" && !/ (\d+)\/\1 +Running |Completed/.test(line));
        assert.deepEqual(waiting, []);
      },
      { timeoutMs: 30_000 },
    );
    // Not waited for: some of the lessons' programs take their grace period.
    assert.equal((await lab.kubectl(["delete", "namespace", namespace, "--wait=false"])).code, 0);
  });
}
