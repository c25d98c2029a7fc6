import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/generated/types.ts";
import type { Image } from "../../../container/runtime.ts";
import { containerRights } from "./security.ts";

const image: Image = {
  id: "sha256:1",
  name: "docker.io/library/busybox:latest",
  repoDigest: "",
  sizeBytes: 0,
  source: "catalog",
  entrypoint: [],
  command: ["sh"],
  env: [],
  workingDir: "",
  user: "",
  stopSignal: "SIGTERM",
  warnings: [],
};
const pod: Pod = { metadata: { name: "web", namespace: "default", uid: "1" }, spec: { containers: [] } };

for (const [asked, expected] of [
  [false, true],
  [true, false],
  [undefined, false],
] as const) {
  test(`containerRights() with allowPrivilegeEscalation ${asked} ${expected ? "takes new" : "leaves"} privileges`, () => {
    const securityContext = asked === undefined ? {} : { allowPrivilegeEscalation: asked };
    const rights = containerRights(pod, { name: "web", securityContext }, image);
    assert.equal(rights.hasNoNewPrivileges, expected);
  });
}
