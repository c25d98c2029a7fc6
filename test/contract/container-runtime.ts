/** What every container runtime must do; the fake and the real one run the same cases. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { test } from "node:test";
import { ContainerError, ExecTimeoutError, ImageError } from "../../src/container/errors.ts";
import type { ContainerRuntime, ContainerSpec, ContainerStatus, Image } from "../../src/container/runtime.ts";
import { patience } from "../patience.ts";

export interface RuntimeUnderTest {
  readonly runtime: ContainerRuntime;
  /** A spec that runs `argv` in busybox; each call has another id and log. */
  readonly spec: (image: Image, argv: readonly string[], changes?: Partial<ContainerSpec>) => ContainerSpec;
  /** Closes the runtime and opens another for the same node, as a new agent process does. */
  readonly restart: () => ContainerRuntime;
  readonly close: () => Promise<void>;
}

/** Registers the cases; each gets a runtime of its own from `make`. */
export function containerRuntimeContract(runtimeName: string, make: () => Promise<RuntimeUnderTest>): void {
  const verify = (
    behaviour: string,
    work: (context: RuntimeUnderTest & { readonly busybox: Image; readonly ended: Ended }) => Promise<void>,
  ): void => {
    test(`${runtimeName} ${behaviour}`, { timeout: 20_000 * patience }, async () => {
      const made = await make();
      try {
        const busybox = await made.runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
        await work({ ...made, busybox, ended: watchExits(made.runtime) });
      } finally {
        await made.close();
      }
    });
  };

  verify(
    "start() runs a container whose end onExit() tells and list() remembers",
    async ({ runtime, spec, busybox, ended }) => {
      const given = spec(busybox, ["sh", "-c", "echo one; echo two >&2; exit 3"]);
      const status = await runtime.start(given);
      assert.equal(status.id, given.id);
      const end = await ended(given.id);
      assert.equal(end.state.type === "exited" && end.state.exitCode, 3);
      assert.deepEqual(await runtime.list(), [end]);
      const log = readFileSync(given.logPath, "utf8");
      assert.equal(log.split("\n").length, 3);
      assert.match(log, /^\d{4}-\d\d-\d\dT\S+ stdout F one$/m);
      assert.match(log, /^\d{4}-\d\d-\d\dT\S+ stderr F two$/m);
      await runtime.remove(given.id);
      assert.deepEqual(await runtime.list(), []);
    },
  );

  verify(
    "start() of a program that is not there rejects, and list() shows exit code 128",
    async ({ runtime, spec, busybox }) => {
      const given = spec(busybox, ["foo"]);
      await assert.rejects(runtime.start(given), (error) => {
        assert.ok(error instanceof ContainerError);
        assert.equal(error.reason, "RunContainerError");
        assert.match(error.message, /exec: "foo": executable file not found in \$PATH/);
        return true;
      });
      const [status] = await runtime.list();
      assert.ok(status?.state.type === "exited");
      assert.equal(status.state.exitCode, 128);
      assert.match(status.state.message, /executable file not found/);
      await runtime.remove(given.id);
      assert.deepEqual(await runtime.list(), []);
    },
  );

  verify(
    "stop() lets a container that handles the stop signal end by itself",
    async ({ runtime, spec, busybox, ended }) => {
      const given = spec(busybox, ["sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done"]);
      await runtime.start(given);
      await untilLog(given.logPath, /ready/);
      const end = await runtime.stop(given.id, { graceMs: 10_000 });
      assert.equal(end.state.type === "exited" && end.state.exitCode, 7);
      assert.deepEqual(await ended(given.id), end);
      assert.deepEqual(await runtime.stop(given.id, { graceMs: 0 }), end);
    },
  );

  verify("stop() kills what ignores the stop signal after the grace period", async ({ runtime, spec, busybox }) => {
    const given = spec(busybox, ["sleep", "1000"]);
    await runtime.start(given);
    const end = await runtime.stop(given.id, { graceMs: 50 });
    assert.equal(end.state.type === "exited" && end.state.exitCode, 137);
  });

  verify("exec() streams both ways and tells the exit code", async ({ runtime, spec, busybox }) => {
    const given = spec(busybox, ["sleep", "1000"]);
    await runtime.start(given);
    const cat = await runtime.exec(given.id, { command: ["cat"], hasStdin: true, hasTerminal: false });
    cat.stdin?.end("hello");
    assert.equal(await text(cat.stdout), "hello");
    assert.equal(await cat.exit, 0);
    const both = await runtime.exec(given.id, {
      command: ["sh", "-c", "echo out; echo err >&2; exit 5"],
      hasStdin: false,
      hasTerminal: false,
    });
    assert.ok(both.stderr);
    assert.deepEqual(await Promise.all([text(both.stdout), text(both.stderr), both.exit]), ["out\n", "err\n", 5]);
    await assert.rejects(
      runtime.exec(given.id, { command: ["nope"], hasStdin: false, hasTerminal: false }),
      /exec: "nope": executable file not found in \$PATH/,
    );
  });

  verify("close() of an exec session kills its process", async ({ runtime, spec, busybox }) => {
    const given = spec(busybox, ["sleep", "1000"]);
    await runtime.start(given);
    const session = await runtime.exec(given.id, { command: ["sleep", "1000"], hasStdin: false, hasTerminal: false });
    session.stdout.resume();
    session.close();
    assert.equal(await session.exit, 137);
  });

  verify("execSync() tells exit code and output, and kills at its timeout", async ({ runtime, spec, busybox }) => {
    const given = spec(busybox, ["sleep", "1000"]);
    await runtime.start(given);
    const options = { timeoutMs: 5000 };
    assert.deepEqual(await runtime.execSync(given.id, { ...options, command: ["echo", "fine"] }), {
      exitCode: 0,
      output: "fine\n",
    });
    assert.equal((await runtime.execSync(given.id, { ...options, command: ["false"] })).exitCode, 1);
    await assert.rejects(
      runtime.execSync(given.id, { command: ["sleep", "1000"], timeoutMs: 50 }),
      (error) => error instanceof ExecTimeoutError,
    );
  });

  verify("attach() reaches a container's stdin and output", async ({ runtime, spec, busybox, ended }) => {
    const given = spec(busybox, ["cat"], { hasStdin: true, stdinOnce: true });
    await runtime.start(given);
    const session = await runtime.attach(given.id);
    session.stdin?.end("through\n");
    assert.equal(await text(session.stdout), "through\n");
    assert.equal(await session.exit, 0);
    const end = await ended(given.id);
    assert.equal(end.state.type === "exited" && end.state.exitCode, 0);
  });

  verify(
    "images.pull() refuses an unknown image, a bad name, and what is not there with policy Never",
    async ({ runtime }) => {
      const policy = { onlyIfPresent: true, never: false };
      const reasonOf = (name: string, never = false): Promise<string> =>
        runtime.images.pull(name, { ...policy, never }).then(
          () => "none",
          (error: unknown) => (error instanceof ImageError ? error.reason : String(error)),
        );
      assert.equal(await reasonOf("nope"), "ErrImagePull");
      assert.equal(await reasonOf("Nope"), "InvalidImageName");
      assert.equal(await reasonOf("nginx:1.99-never-seen", true), "ErrImageNeverPull");
      await assert.rejects(
        runtime.images.pull("nope", policy),
        /failed to pull and unpack image "docker.io\/library\/nope:latest"/,
      );
    },
  );

  verify(
    "a new agent's runtime finds what runs and what ended meanwhile, and tells later ends",
    async ({ runtime, spec, busybox, restart }) => {
      const [lasting, brief] = [spec(busybox, ["sleep", "1000"]), spec(busybox, ["sh", "-c", "exit 4"])];
      const running = await runtime.start(lasting);
      await runtime.start(brief);
      const second = restart();
      const endedAgain = watchExits(second);
      const found = new Map((await second.list()).map((status) => [status.id, status]));
      assert.deepEqual(found.get(lasting.id), running);
      const end = found.get(brief.id)?.state.type === "exited" ? found.get(brief.id) : await endedAgain(brief.id);
      assert.equal(end?.state.type === "exited" && end.state.exitCode, 4);
      await second.stop(lasting.id, { graceMs: 0 });
      assert.equal((await endedAgain(lasting.id)).state.type, "exited");
    },
  );
}

type Ended = (id: string) => Promise<ContainerStatus>;

function watchExits(runtime: ContainerRuntime): Ended {
  const ends = new Map<string, PromiseWithResolvers<ContainerStatus>>();
  const endOf = (id: string): PromiseWithResolvers<ContainerStatus> => {
    const known = ends.get(id) ?? Promise.withResolvers<ContainerStatus>();
    ends.set(id, known);
    return known;
  };
  runtime.onExit((status) => endOf(status.id).resolve(status));
  return (id) => endOf(id).promise;
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function untilLog(path: string, pattern: RegExp): Promise<void> {
  const deadline = Date.now() + 10_000 * patience;
  while (!pattern.test(readFileSync(path, "utf8"))) {
    assert.ok(Date.now() < deadline, `${path} never matched ${pattern}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A container without wishes; `changes` as the test needs them. */
export function exampleSpec(image: Image, argv: readonly string[], changes: Partial<ContainerSpec>): ContainerSpec {
  return {
    id: randomBytes(32).toString("hex"),
    pod: { namespace: "default", name: "pod", uid: "6a2f" },
    name: "main",
    attempt: 0,
    image,
    argv,
    env: [],
    workingDir: "",
    user: undefined,
    hasTerminal: false,
    hasStdin: false,
    stdinOnce: false,
    mounts: [],
    networkNamespacePath: "",
    hostname: "pod",
    isPrivileged: false,
    isRootReadOnly: false,
    addedCapabilities: [],
    droppedCapabilities: [],
    logPath: "",
    ...changes,
  };
}
