import assert from "node:assert/strict";
import { test } from "node:test";
import { invalidValue, requiredValue, tooMany, unsupportedValue } from "./field-error.ts";
import { quoted } from "./go-text.ts";
import * as status from "./status.ts";

const pods = { group: "", name: "pods" };
const deployments = { group: "apps", name: "deployments" };

test("error answers carry upstream's code, reason and message", () => {
  const cases: readonly (readonly [status.ApiError, number, string, string])[] = [
    [status.notFound(pods, "web"), 404, "NotFound", 'pods "web" not found'],
    [status.notFound(deployments, "web"), 404, "NotFound", 'deployments.apps "web" not found'],
    [status.alreadyExists(pods, "web"), 409, "AlreadyExists", 'pods "web" already exists'],
    [
      status.conflict(deployments, "web"),
      409,
      "Conflict",
      'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
    ],
    [
      status.forbidden(pods, "", 'User "jane" cannot list resource "pods"'),
      403,
      "Forbidden",
      'pods is forbidden: User "jane" cannot list resource "pods"',
    ],
    [
      status.methodNotAllowed(),
      405,
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
    ],
    [
      status.requestEntityTooLarge("limit is 3145728"),
      413,
      "RequestEntityTooLarge",
      "Request entity too large: limit is 3145728",
    ],
    [status.internalError("disk full"), 500, "InternalError", "Internal error occurred: disk full"],
    [status.timedOut("too slow"), 504, "Timeout", "Timeout: too slow"],
  ];
  for (const [error, code, reason, message] of cases) {
    assert.deepEqual([error.code, error.reason, error.message], [code, reason, message]);
    assert.equal(error.status.status, "Failure");
  }
});

test("invalid() names one mistake plainly and several in brackets, each once, with its cause", () => {
  const kind = { group: "", name: "Service" };
  const port = invalidValue("spec.ports[0].port", 70_000, "must be between 1 and 65535, inclusive");
  const one = status.invalid(kind, "web", [port]);
  assert.equal(
    one.message,
    'Service "web" is invalid: spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
  );
  assert.deepEqual(one.status.details, {
    name: "web",
    kind: "Service",
    causes: [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 70000: must be between 1 and 65535, inclusive",
        field: "spec.ports[0].port",
      },
    ],
  });
  const two = status.invalid(kind, "web", [
    requiredValue("spec.ports"),
    requiredValue("spec.type"),
    requiredValue("spec.type"),
  ]);
  assert.equal(two.message, 'Service "web" is invalid: [spec.ports: Required value, spec.type: Required value]');
});

test("field mistakes print their values as Go does", () => {
  assert.equal(unsupportedValue("f", "x", ["A", "B"]).body, 'Unsupported value: "x": supported values: "A", "B"');
  assert.equal(tooMany("f", 5, 1).body, "Too many: 5: must have at most 1 item");
  assert.equal(invalidValue("f", { a: "<b>" }, "no").body, 'Invalid value: {"a":"\\u003cb\\u003e"}: no');
  assert.equal(quoted('a"b\n\u0000\u200bé'), '"a\\"b\\n\\x00\\u200bé"');
});
