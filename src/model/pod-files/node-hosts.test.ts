import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { nodeHostsFile } from "./node-hosts.ts";

const one = { addresses: ["192.168.60.11"], name: "node-1" };
const two = { addresses: ["192.168.60.12"], name: "node-2" };

describe("nodeHostsFile()", () => {
  test("lists this machine and the nodes", () => {
    assert.equal(
      nodeHostsFile("", [one]),
      "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n# The cluster's nodes, kept by netloom.\n192.168.60.11\tnode-1\n# End of the cluster's nodes.\n",
    );
  });

  test("lists both addresses of a node of two families", () => {
    const dual = { addresses: ["192.168.60.11", "fd00:192:168:60::11"], name: "node-1" };
    assert.match(nodeHostsFile("", [dual]), /\n192\.168\.60\.11\tnode-1\nfd00:192:168:60::11\tnode-1\n#/);
  });

  test("takes in a node that came and drops one that went, and leaves what somebody wrote", () => {
    const edited = `10.0.0.1\tabove\n${nodeHostsFile("", [one])}10.0.0.2\tbelow\n`;
    const grown = nodeHostsFile(edited, [one, two]);
    assert.equal(grown, edited.replace("node-1\n", "node-1\n192.168.60.12\tnode-2\n"));
    assert.equal(nodeHostsFile(grown, [one]), edited);
  });

  test("comes back at the end of a file that lost it, or half of it", () => {
    assert.match(nodeHostsFile("10.0.0.1\tmine\n", [one]), /^10\.0\.0\.1\tmine\n# The cluster's nodes.*\n192/);
    const halved = nodeHostsFile("", [one]).replace(/^# The .*\n/m, "");
    assert.equal(nodeHostsFile(halved, [two]).match(/^#/gm)?.length, 2);
  });

  test("changes nothing the second time, whatever the file holds", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "#", " ", "\t") }), (text) => {
        const file = nodeHostsFile(text, [one, two]);
        assert.equal(nodeHostsFile(file, [one, two]), file);
      }),
    );
  });
});
