import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNetworkNamespace, removeNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { testNftablesContract } from "../../src/kernel/nftables/contract.ts";
import { openNftables } from "../../src/kernel/nftables/index.ts";
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

  test(`the kernel takes the golden rules of services (${mode})`, () => {
    const golden = join(import.meta.dirname, "../../src/model/services/golden/services.nft");
    execFileSync("nsenter", [`--net=${namespace.path}`, "nft", "-f", "-"], { input: readFileSync(golden) });
  });
});
