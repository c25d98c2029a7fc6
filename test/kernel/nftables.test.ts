import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNetworkNamespace, removeNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { testNftablesContract } from "../../src/kernel/nftables/contract.ts";
import { countRuleSet, openNftables } from "../../src/kernel/nftables/index.ts";
import { emptyTransaction } from "../../src/model/rules/index.ts";
import { inNamespaces } from "./in-namespaces.ts";

inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-nftables-"));
  const namespace = createNetworkNamespace(join(dir, "node"));
  const open = () => openNftables({ namespace, toolsDir: "/nonexistent" });
  after(() => {
    namespace.close();
    removeNetworkNamespace(namespace.path);
    rmSync(dir, { recursive: true });
  });

  testNftablesContract(`the kernel's (${mode})`, {
    open,
    interfere: (_, ruleSet, transaction) => {
      const other = open();
      other.sync(ruleSet);
      other.apply(transaction);
      other.close();
    },
  });

  test(`rules and elements are counted, of whatever table and form (${mode})`, () => {
    const nft = (script: string): void => {
      execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "-f", "-"], { input: script });
    };
    const before = countRuleSet(namespace);
    // Two rules of which one holds a set of its own; an interval is an element, and its end none; the last is a timeout's.
    nft(`
      add table ip counted
      add chain ip counted some
      add rule ip counted some tcp dport { 80, 443, 8080 } accept comment "a, b"
      add rule ip counted some ip saddr 10.0.0.0/8 drop
      add set ip counted ranges { type ipv4_addr; flags interval; }
      add element ip counted ranges { 10.0.0.0/8, 192.168.0.0/16 }
      add map ip counted marks { type inet_service : mark; }
      add element ip counted marks { 1 : 1, 2 : 2, 3 : 3 }
      add table ip6 counted
      add set ip6 counted recent { type ipv6_addr; flags timeout; }
      add element ip6 counted recent { fd00::1 timeout 1h }`);
    const many = Array.from({ length: 2000 }, (_, index) => `${index + 100} : 1`).join(", ");
    nft(`add element ip counted marks { ${many} }`);
    const counts = countRuleSet(namespace);
    nft("delete table ip counted; delete table ip6 counted");
    assert.deepEqual(
      { rules: counts.rules - before.rules, elements: counts.elements - before.elements },
      { rules: 2, elements: 2006 },
    );
    assert.deepEqual(countRuleSet(namespace), before);
  });

  test(`changes of other tables are none of ours, changes of ours are noticed among them (${mode})`, () => {
    const nft = (...script: readonly string[]): void => {
      execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "-f", "-"], { input: script.join("\n") });
    };
    const rules = open();
    const declaration = { name: "ports", key: ["port"], data: ["mark"] } as const;
    const skeleton = {
      family: "ip",
      table: "ours",
      sets: new Map([["ports", declaration]]),
      chains: new Map(),
    } as const;
    const cause = { kind: "Service", name: "web" };
    const element = { family: "ip", table: "ours", set: "ports", key: [80], data: { values: [1] }, cause } as const;
    try {
      rules.sync({ skeletons: [skeleton], parts: new Map([["web", [element]]]) });
      assert.equal(rules.hasForeignChange(), false);
      nft(
        "add table ip theirs",
        "add set ip theirs peers { type ipv4_addr; }",
        "add element ip theirs peers { 10.0.0.1 }",
      );
      assert.equal(rules.hasForeignChange(), false, "another table of the family");
      nft("add table ip6 ours");
      assert.equal(rules.hasForeignChange(), false, "a table of our name in another family");
      rules.apply({ ...emptyTransaction, addedElements: [{ ...element, key: [81] }] });
      nft("add element ip theirs peers { 10.0.0.2 }");
      assert.equal(rules.hasForeignChange(), false, "after a change of our own");
      nft("add element ip theirs peers { 10.0.0.3 }", "delete element ip ours ports { 80 }");
      nft("add element ip theirs peers { 10.0.0.4 }");
      assert.equal(rules.hasForeignChange(), true);
      // More than the queue of notifications holds: what is not known counts as changed.
      // Rootless, one transaction takes 400 kB, and the queue is as much smaller.
      const many = Array.from(
        { length: mode === "root" ? 20_000 : 1500 },
        (_, index) => `10.1.${index >> 8}.${index & 255}`,
      );
      for (let round = 0; round < 3; round += 1) {
        nft(`add element ip theirs peers { ${many.join(", ")} }`);
        nft(`delete element ip theirs peers { ${many.join(", ")} }`);
      }
      nft("delete element ip ours ports { 81 }");
      assert.equal(rules.hasForeignChange(), true);
    } finally {
      nft("add table ip theirs", "delete table ip theirs", "add table ip6 ours", "delete table ip6 ours");
      rules.remove({ skeletons: [skeleton] });
      rules.close();
    }
  });

  test(`the kernel takes the golden rules of services (${mode})`, () => {
    const golden = join(import.meta.dirname, "../../src/model/services/golden/services.nft");
    execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "-f", "-"], { input: readFileSync(golden) });
  });
});
