import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as assertProperty, property, stringMatching } from "fast-check";
import { ImageError } from "../errors.ts";
import { imageReferenceText, parseImageReference } from "./reference.ts";

const digest = `sha256:${"0a".repeat(32)}`;

test("parseImageReference() adds Docker Hub's defaults", () => {
  const names: Readonly<Record<string, string>> = {
    nginx: "docker.io/library/nginx:latest",
    "nginx:1.27": "docker.io/library/nginx:1.27",
    "kennethreitz/httpbin": "docker.io/kennethreitz/httpbin:latest",
    "docker.io/nginx": "docker.io/library/nginx:latest",
    "index.docker.io/library/nginx": "docker.io/library/nginx:latest",
    "registry.k8s.io/coredns/coredns:v1.11.1": "registry.k8s.io/coredns/coredns:v1.11.1",
    "localhost/app": "localhost/app:latest",
    "localhost:5000/app:1": "localhost:5000/app:1",
    "[2001:db8::1]:5000/app": "[2001:db8::1]:5000/app:latest",
    "foo.example/a__b/c-d.e_f": "foo.example/a__b/c-d.e_f:latest",
    [`nginx@${digest}`]: `docker.io/library/nginx@${digest}`,
    [`nginx:1@${digest}`]: `docker.io/library/nginx:1@${digest}`,
  };
  for (const [given, full] of Object.entries(names)) assert.equal(imageReferenceText(parseImageReference(given)), full);
});

test("parseImageReference() refuses what is no reference, with upstream's words", () => {
  const refused: Readonly<Record<string, RegExp>> = {
    "": /invalid reference format/,
    "busybox:": /invalid reference format/,
    ":latest": /invalid reference format/,
    "a//b": /invalid reference format/,
    "-busybox": /invalid reference format/,
    "busybox latest": /invalid reference format/,
    "busybox@sha256:12": /invalid reference format/,
    "busybox:.x": /invalid reference format/,
    NGINX: /repository name \(library\/NGINX\) must be lowercase/,
    ["a".repeat(300)]: /must not be more than 255/,
    ["0a".repeat(32)]: /cannot specify 64-byte hexadecimal/,
  };
  for (const [given, message] of Object.entries(refused)) {
    assert.throws(
      () => parseImageReference(given),
      (error) => error instanceof ImageError && error.reason === "InvalidImageName" && message.test(error.message),
      given,
    );
  }
});

test("parseImageReference() of its own text is the same reference, whatever the input", () => {
  const part = stringMatching(/^[a-zA-Z0-9./:@_-]{1,40}$/);
  assertProperty(
    property(part, (text) => {
      try {
        const reference = parseImageReference(text);
        assert.deepEqual(parseImageReference(imageReferenceText(reference)), reference);
      } catch (error) {
        assert.ok(error instanceof ImageError, String(error));
      }
    }),
  );
});
