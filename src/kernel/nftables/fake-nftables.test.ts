import assert from "node:assert/strict";
import { testNftablesContract } from "./contract.ts";
import { createFakeNftables, type FakeNftables } from "./fake-nftables.ts";

testNftablesContract("the fake", {
  open: createFakeNftables,
  interfere: (nftables, _, transaction) => {
    assert.ok("interfere" in nftables);
    (nftables as FakeNftables).interfere(transaction);
  },
});
