import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ApiError } from "../../../api/status.ts";
import { representationOf } from "./negotiation.ts";

const noQuery = new URLSearchParams();
const formOf = (accept: string | undefined): string => {
  const { form, version } = representationOf(accept, noQuery);
  return form === "object" ? form : `${form} ${version}`;
};

test("representationOf() takes the first acceptable form", () => {
  assert.equal(formOf(undefined), "object");
  assert.equal(formOf("*/*"), "object");
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  assert.equal(formOf(`${table},application/json`), "table v1");
  assert.equal(formOf(`application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json`), "table v1beta1");
  assert.equal(formOf("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"), "metadata v1");
  assert.equal(formOf("application/vnd.kubernetes.protobuf,application/json"), "object");
  assert.equal(formOf(`application/json;q=0.5,${table}`), "table v1");
});

test("representationOf() refuses what it cannot give", () => {
  for (const accept of ["application/vnd.kubernetes.protobuf", "text/html", "application/json;as=Table;v=v9"]) {
    assert.throws(
      () => formOf(accept),
      (error) => error instanceof ApiError && error.code === 406,
    );
  }
});

test("representationOf() makes no Table of what nobody lists", () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  assert.equal(representationOf(`${table},application/json`, noQuery, { hasTable: false }).form, "object");
  assert.throws(
    () => representationOf(table, noQuery, { hasTable: false }),
    (error) => error instanceof ApiError && error.code === 406,
  );
});

test("a Table comes with as much of each object as was asked for, by one of upstream's words", () => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const included = (value: string): string =>
    representationOf(table, new URLSearchParams({ includeObject: value })).includeObject;
  assert.deepEqual(["", "None", "Object", "Metadata"].map(included), ["Metadata", "None", "Object", "Metadata"]);
  assert.throws(() => included("X"), {
    message: `Unable to convert to Table as requested: includeObject: Invalid value: "X": must be 'Metadata', 'Object', 'None', or empty`,
  });
});

test("representationOf() answers or refuses any header", () => {
  fc.assert(
    fc.property(fc.string(), (accept) => {
      try {
        formOf(accept);
      } catch (error) {
        assert.ok(error instanceof ApiError);
      }
    }),
  );
});
