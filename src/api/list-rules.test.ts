import assert from "node:assert/strict";
import { test } from "node:test";
import { definitions } from "./generated/definitions.ts";
import { fieldNumbers } from "./generated/field-numbers.ts";
import { atomicTypes, listRules } from "./list-rules.ts";
import { fieldsOf } from "./schema.ts";

test("every list rule is of a field that exists, and every merge key of its items' type", () => {
  for (const [typeName, rules] of Object.entries(listRules)) {
    for (const [name, rule] of Object.entries(rules)) {
      const type = fieldsOf(typeName).get(name)?.type;
      assert.ok(type, `${typeName}.${name}`);
      if (rule.list !== undefined) assert.equal(type.kind, "list", `${typeName}.${name}`);
      for (const key of [...(rule.keys ?? []), ...(rule.mergeKey === undefined ? [] : [rule.mergeKey])]) {
        const item = type.kind === "list" && type.item.kind === "object" ? type.item.type : "";
        assert.ok(fieldsOf(item).has(key), `${typeName}.${name} has items with ${key}`);
      }
    }
  }
  for (const typeName of atomicTypes) assert.ok(Object.hasOwn(definitions, typeName), typeName);
});

test("every field of every type has a number in protocol buffers", () => {
  const namesOf = (typeName: string): readonly string[] =>
    [...(fieldNumbers[typeName] ?? "").matchAll(/\d+:(>?)(\w+)/g)].flatMap(([, arrow, name = ""]) =>
      arrow === ">" ? namesOf(name) : [name],
    );
  for (const [typeName, fields] of Object.entries(definitions)) {
    const numbered = new Set(namesOf(typeName));
    const missing = Object.keys(fields).filter(
      (name) => name !== "apiVersion" && name !== "kind" && !numbered.has(name),
    );
    assert.deepEqual(missing, [], typeName);
  }
});
