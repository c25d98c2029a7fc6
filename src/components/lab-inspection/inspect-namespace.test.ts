import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { countRules } from "./inspect-namespace.ts";

const listing = `table ip netloom {
	comment "netloom services v1"
	map service-ips {
		type ipv4_addr . inet_proto . inet_service : verdict
		elements = { 10.96.0.1 . tcp . 443 comment "Service default/kubernetes, port https" : goto svc-1,
			     10.96.0.10 . udp . 53 : goto svc-2 }
	}
	set empty {
		type ipv4_addr
	}
	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		jump services
	}
	chain services {
		ip daddr . meta l4proto . th dport vmap @service-ips
		tcp dport 80 numgen random mod 2 vmap { 0 : accept, 1 : return } comment "two"
	}
}
`;

test("countRules() counts rules and elements, not declarations or commas in comments", () => {
  assert.deepEqual(countRules(listing), { rules: 3, elements: 2 });
});

test("countRules() finds nothing in an empty rule set, and takes any text", () => {
  assert.deepEqual(countRules(""), { rules: 0, elements: 0 });
  fc.assert(fc.property(fc.string(), (text) => countRules(text).rules >= 0));
});
