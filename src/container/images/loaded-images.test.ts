import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { array, asyncProperty, assert as assertProperty, constantFrom, nat, record, uint8Array } from "fast-check";
import { pack, type Header } from "tar-stream";
import { ArchiveError } from "./archive/archive-error.ts";
import { createLoadedImages } from "./loaded-images.ts";
import { parseImageReference } from "./reference.ts";

type Entry = Partial<Header> & { readonly name: string; readonly text?: string | Buffer };

/** A tar archive of the entries. */
async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { text, ...header } of entries) archive.entry({ type: "file", ...header }, text ?? "");
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const ourArchitecture = process.arch === "x64" ? "amd64" : process.arch;
const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");
const config = JSON.stringify({
  architecture: ourArchitecture,
  config: { Entrypoint: ["/app"], Cmd: ["serve"], Env: ["A=1"], WorkingDir: "/srv", User: "app", StopSignal: "SIGINT" },
});

async function dockerArchive(layers: readonly Buffer[], names: readonly string[] = ["app:1"]): Promise<Buffer> {
  const manifest = [{ Config: "config.json", RepoTags: names, Layers: layers.map((_, index) => `${index}/layer.tar`) }];
  return tar([
    ...layers.map((layer, index) => ({ name: `${index}/layer.tar`, text: layer })),
    { name: "config.json", text: config },
    { name: "manifest.json", text: JSON.stringify(manifest) },
  ]);
}

async function ociArchive(layer: Buffer, annotations: Readonly<Record<string, string>>): Promise<Buffer> {
  const blob = (text: string | Buffer): { name: string; text: string | Buffer } => ({
    name: `blobs/sha256/${sha256(text)}`,
    text,
  });
  const manifest = JSON.stringify({
    config: { digest: `sha256:${sha256(config)}` },
    layers: [{ digest: `sha256:${sha256(layer)}` }],
  });
  const index = { manifests: [{ digest: `sha256:${sha256(manifest)}`, annotations }] };
  return tar([
    { name: "oci-layout", text: "{}" },
    { name: "index.json", text: JSON.stringify(index) },
    blob(manifest),
    blob(config),
    blob(layer),
  ]);
}

/** The same archive with another configuration, of the same length, in it. */
function anotherConfig(archive: Buffer): Buffer {
  return Buffer.from(archive.toString("latin1").replace('"A=1"', '"A=2"'), "latin1");
}

/** The same archive, made for a machine whose architecture has a name of the same length. */
function anotherArchitecture(archive: Buffer): Buffer {
  return Buffer.from(archive.toString("latin1").replace(`"${ourArchitecture}"`, '"s390x"'), "latin1");
}

interface Bench {
  readonly images: ReturnType<typeof createLoadedImages>;
  readonly folder: string;
  /** Writes the archive and returns its path. */
  readonly file: (bytes: Buffer) => string;
  readonly rootOf: (name: string) => string;
}

async function withStore(work: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "netloom-images-"));
  const images = createLoadedImages(join(folder, "store/images"));
  try {
    await work({
      images,
      folder,
      file(bytes) {
        const path = join(folder, "shop.tar");
        writeFileSync(path, bytes);
        return path;
      },
      rootOf(name) {
        const image = images.find(parseImageReference(name));
        assert.ok(image, `${name} is loaded`);
        return images.root(image)?.layers.lowers[0] ?? "";
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("load() takes a docker-archive with its configuration", async () => {
  await withStore(async ({ images, file, rootOf }) => {
    const layer = await tar([
      { name: "etc/", type: "directory", mode: 0o755 },
      { name: "etc/motd", text: "hello", mode: 0o640 },
      { name: "bin/sh", type: "symlink", linkname: "/bin/busybox" },
      { name: "etc/again", type: "link", linkname: "etc/motd" },
      { name: "dev/sda", type: "block-device" },
    ]);
    const [image] = await images.load(file(await dockerArchive([gzipSync(layer)], ["app:1", "quay.io/org/app:2"])));
    assert.equal(image?.name, "docker.io/library/app:1");
    assert.equal(image.id, `sha256:${sha256(config)}`);
    assert.deepEqual(
      [image.entrypoint, image.command, image.env, image.workingDir, image.user, image.stopSignal, image.warnings],
      [["/app"], ["serve"], ["A=1"], "/srv", "app", "SIGINT", []],
    );
    const root = rootOf("quay.io/org/app:2");
    assert.equal(readFileSync(join(root, "etc/again"), "utf8"), "hello");
    assert.equal(statSync(join(root, "etc/motd")).mode & 0o777, 0o640);
    assert.equal(statSync(join(root, "etc/motd")).ino, statSync(join(root, "etc/again")).ino);
    assert.ok(lstatSync(join(root, "bin/sh")).isSymbolicLink());
    assert.ok(!existsSync(join(root, "dev/sda")));
  });
});

/** An OCI layout whose one index names an image per architecture, each with a file that says which it is. */
async function indexedArchive(architectures: readonly string[]): Promise<Buffer> {
  const blobs: Entry[] = [];
  const add = (text: string | Buffer): string => {
    blobs.push({ name: `blobs/sha256/${sha256(text)}`, text });
    return `sha256:${sha256(text)}`;
  };
  const manifests: unknown[] = [];
  for (const architecture of architectures) {
    const layer = add(await tar([{ name: "architecture", text: architecture }]));
    const manifest = { config: { digest: add(JSON.stringify({ architecture })) }, layers: [{ digest: layer }] };
    const os = architecture === "unknown" ? "unknown" : "linux";
    manifests.push({ digest: add(JSON.stringify(manifest)), platform: { os, architecture } });
  }
  const annotations = { "org.opencontainers.image.ref.name": "app:1" };
  const index = { manifests: [{ digest: add(JSON.stringify({ manifests })), annotations }] };
  return tar([{ name: "index.json", text: JSON.stringify(index) }, ...blobs]);
}

test("load() takes archives that are compressed as a whole, and names the program for those it cannot read", async () => {
  await withStore(async ({ images, file }) => {
    const archive = await dockerArchive([await tar([{ name: "version", text: "1" }])], ["app:1"]);
    for (const compressed of [gzipSync(archive), zstdCompressSync(archive)]) {
      assert.deepEqual(
        (await images.load(file(compressed))).map(({ name }) => name),
        ["docker.io/library/app:1"],
      );
    }
    const xz = file(Buffer.from("fd377a585a000004", "hex"));
    await assert.rejects(images.load(xz), /it is compressed with xz; unpack it with "xz -d" first/);
    const cut = file(gzipSync(archive).subarray(0, 200));
    await assert.rejects(images.load(cut), /shop.tar: it ends too early, or is no tar archive; make it again/);
    await assert.rejects(images.load(file(Buffer.alloc(1024, "hello"))), /it is no tar archive, or a damaged one/);
  });
});

test("load() takes an OCI layout in a folder, and refuses one with a damaged part", async () => {
  await withStore(async ({ images, folder, rootOf }) => {
    const layout = join(folder, "layout");
    const write = (name: string, text: string | Buffer): void => {
      mkdirSync(dirname(join(layout, name)), { recursive: true });
      writeFileSync(join(layout, name), text);
    };
    const blob = (text: string | Buffer): string => {
      write(`blobs/sha256/${sha256(text)}`, text);
      return `sha256:${sha256(text)}`;
    };
    const layer = await tar([{ name: "version", text: "1" }]);
    const manifest = { config: { digest: blob(config) }, layers: [{ digest: blob(layer) }] };
    const annotations = { "org.opencontainers.image.ref.name": "example.com/app:1" };
    write("index.json", JSON.stringify({ manifests: [{ digest: blob(JSON.stringify(manifest)), annotations }] }));
    await images.load(layout);
    assert.equal(readFileSync(join(rootOf("example.com/app:1"), "version"), "utf8"), "1");
    write(`blobs/sha256/${sha256(layer)}`, "other");
    await assert.rejects(images.load(layout), /its part blobs\/sha256\/[0-9a-f]+ is damaged/);
  });
});

test("load() takes the later one of two parts with the same name, as tar does", async () => {
  await withStore(async ({ images, file, rootOf }) => {
    const layers = await Promise.all(["1", "2"].map((text) => tar([{ name: "version", text }])));
    const manifest = [{ Config: "config.json", RepoTags: ["app:1"], Layers: ["layer.tar"] }];
    const archive = await tar([
      ...layers.map((text) => ({ name: "layer.tar", text })),
      { name: "config.json", text: config },
      { name: "manifest.json", text: JSON.stringify(manifest) },
    ]);
    await images.load(file(archive));
    assert.equal(readFileSync(join(rootOf("app:1"), "version"), "utf8"), "2");
  });
});

test("load() takes this machine's of an image for several platforms", async () => {
  await withStore(async ({ images, file, rootOf }) => {
    const loaded = await images.load(file(await indexedArchive(["amd64", "arm64", "s390x", "unknown"])));
    assert.deepEqual(
      loaded.map(({ name, warnings }) => [name, warnings]),
      [["docker.io/library/app:1", []]],
    );
    assert.equal(readFileSync(join(rootOf("app:1"), "architecture"), "utf8"), ourArchitecture);
  });
});

test("load() says what an archive without an image for this machine is made for", async () => {
  await withStore(async ({ images, file }) => {
    await assert.rejects(
      images.load(file(await indexedArchive(["s390x", "ppc64le", "unknown"]))),
      new RegExp(`made for linux/s390x, linux/ppc64le, this machine is linux/${ourArchitecture}; `),
    );
    assert.deepEqual(images.list(), []);
  });
});

test("load() takes an image for another architecture, and warns", async () => {
  await withStore(async ({ images, file }) => {
    const [image] = await images.load(file(anotherArchitecture(await dockerArchive([await tar([])]))));
    assert.deepEqual(image?.warnings, [
      `docker.io/library/app:1 is made for s390x, this machine is ${ourArchitecture}`,
    ]);
  });
});

test("load() takes an OCI layout, compressed with zstd, and names it after the file where it has only a tag", async () => {
  await withStore(async ({ images, file }) => {
    const layer = zstdCompressSync(await tar([{ name: "x", text: "1" }]));
    const [tagged] = await images.load(file(await ociArchive(layer, { "org.opencontainers.image.ref.name": "v2" })));
    assert.equal(tagged?.name, "docker.io/library/shop:v2");
    assert.match(tagged.repoDigest, /^docker\.io\/library\/shop@sha256:[0-9a-f]{64}$/);
    const [named] = await images.load(file(await ociArchive(layer, { "io.containerd.image.name": "quay.io/a/b:1" })));
    assert.equal(named?.name, "quay.io/a/b:1");
    assert.deepEqual(
      images.list().map(({ name }) => name),
      ["docker.io/library/shop:v2", "quay.io/a/b:1"],
    );
  });
});

test("load() applies whiteouts and opaque folders to the layers below only", async () => {
  await withStore(async ({ images, file, rootOf }) => {
    const lower = await tar([
      { name: "gone", text: "1" },
      { name: "kept", text: "1" },
      { name: "folder/old", text: "1" },
      { name: "becomes-file/x", text: "1" },
      { name: "target/x", text: "1" },
      { name: "becomes-folder", type: "symlink", linkname: "target" },
    ]);
    const upper = await tar([
      { name: ".wh.gone" },
      { name: "folder/new", text: "2" },
      { name: "folder/.wh..wh..opq" },
      { name: "becomes-file", text: "2" },
      { name: "becomes-folder", type: "directory" },
      { name: "becomes-folder/y", text: "2" },
    ]);
    await images.load(file(await dockerArchive([lower, upper])));
    const root = rootOf("app:1");
    assert.deepEqual(readdirSync(root).toSorted(), ["becomes-file", "becomes-folder", "folder", "kept", "target"]);
    assert.deepEqual(readdirSync(join(root, "folder")), ["new"]);
    assert.deepEqual(readdirSync(join(root, "becomes-folder")), ["y"]);
    assert.deepEqual(readdirSync(join(root, "target")), ["x"]);
  });
});

test("load() keeps hostile entries within the root", async () => {
  await withStore(async ({ images, folder, file, rootOf }) => {
    mkdirSync(join(folder, "outside"));
    writeFileSync(join(folder, "outside/secret"), "secret");
    const layer = await tar([
      { name: "../../../../../outside/a", text: "bad" },
      { name: `/${folder}/outside/b`, text: "bad" },
      { name: "link", type: "symlink", linkname: join(folder, "outside") },
      { name: "link/c", text: "bad" },
      { name: "up", type: "symlink", linkname: "../../../../../outside" },
      { name: "up/d", text: "bad" },
      { name: "up/.wh.secret" },
      { name: "file", type: "symlink", linkname: join(folder, "outside/secret") },
      { name: "file", text: "bad" },
    ]);
    await images.load(file(await dockerArchive([layer])));
    assert.deepEqual(readdirSync(join(folder, "outside")), ["secret"]);
    assert.equal(readFileSync(join(folder, "outside/secret"), "utf8"), "secret");
    assert.equal(readFileSync(join(rootOf("app:1"), "outside/a"), "utf8"), "bad");
    const stealing = await tar([{ name: "stolen", type: "link", linkname: join(folder, "outside/secret") }]);
    const thief = anotherConfig(await dockerArchive([stealing], ["thief:1"]));
    await assert.rejects(images.load(file(thief)), /ENOENT/);
    // With more behind it than a stream holds, so that the reader is interrupted in the middle of the archive.
    const large = { name: "large", text: Buffer.alloc(4 << 20) };
    const early = await tar([{ name: "stolen", type: "link", linkname: join(folder, "outside/secret") }, large]);
    const runner = anotherConfig(await dockerArchive([gzipSync(early)], ["runner:1"]));
    await assert.rejects(images.load(file(runner)), /ENOENT/);
    assert.equal(images.find(parseImageReference("thief:1")), undefined);
    assert.equal(images.find(parseImageReference("runner:1")), undefined);
  });
});

test("load() moves a name to the new image and forgets the old one; remove() takes it away", async () => {
  await withStore(async ({ images, file, rootOf }) => {
    await images.load(
      file(await dockerArchive([await tar([{ name: "version", text: "1" }])], ["app:1", "app:latest"])),
    );
    const first = rootOf("app:1");
    const other = (await dockerArchive([await tar([{ name: "version", text: "2" }])], ["app:latest"])).toString(
      "latin1",
    );
    await images.load(file(Buffer.from(other.replace('"A=1"', '"A=2"'), "latin1")));
    assert.equal(readFileSync(join(rootOf("app:latest"), "version"), "utf8"), "2");
    assert.equal(rootOf("app:1"), first);
    images.remove("app:1");
    assert.ok(!existsSync(first));
    assert.throws(() => images.remove("app:1"), /none of that name was loaded/);
  });
});

test("load() says what is wrong with a broken archive and leaves nothing behind", async () => {
  await withStore(async ({ images, folder, file }) => {
    const layer = await tar([{ name: "x", text: "1" }]);
    const good = await ociArchive(layer, { "io.containerd.image.name": "app:1" });
    const damaged = anotherConfig(good);
    const bad: readonly (readonly [Buffer, RegExp])[] = [
      [damaged, /its part blobs\/sha256\/[0-9a-f]+ is damaged/],
      [await tar([{ name: "x", text: "1" }]), /neither manifest\.json .* nor index\.json/],
      [await tar([{ name: "manifest.json", text: "{" }]), /not JSON/],
      [await tar([{ name: "manifest.json", text: '[{"Config":"c.json"}]' }]), /lacks its part "c\.json"/],
      [good.subarray(0, good.length >> 1), /Cannot (read|load)/],
      [Buffer.from("no archive at all"), /Cannot (read|load)/],
    ];
    for (const [bytes, message] of bad) {
      await assert.rejects(
        images.load(file(bytes)),
        (error) => error instanceof ArchiveError && message.test(error.message),
      );
    }
    await assert.rejects(images.load(join(folder, "missing.tar")), /there is no such file/);
    assert.deepEqual(readdirSync(join(folder, "store/images")), []);
  });
});

test("load() survives archives with any byte changed, and any layer", async () => {
  const layer = await tar([
    { name: "a/b", text: "1" },
    { name: "a/link", type: "symlink", linkname: "../../.." },
    { name: ".wh.x" },
  ]);
  const good = await dockerArchive([layer]);
  const change = record({ at: nat(good.length - 1), bytes: uint8Array({ minLength: 1, maxLength: 4 }) });
  const name = array(constantFrom("..", "a", "link", ".wh.a", ".wh..wh..opq", "."), { minLength: 1, maxLength: 5 });
  const kind = constantFrom("file", "directory", "symlink", "link", "fifo");
  const entries = array(record({ name, type: kind, linkname: name }), { maxLength: 8 });
  await withStore(async ({ images, folder, file }) => {
    const attempt = async (bytes: Buffer): Promise<void> => {
      await images.load(file(bytes)).catch((error: unknown) => assert.ok(error instanceof Error));
      assert.deepEqual(readdirSync(folder).toSorted(), ["shop.tar", "store"]);
    };
    await assertProperty(
      asyncProperty(change, async ({ at, bytes }) => {
        const changed = Buffer.from(good);
        changed.set(bytes.subarray(0, changed.length - at), at);
        await attempt(changed);
      }),
      { numRuns: 40 },
    );
    await assertProperty(
      asyncProperty(entries, async (all) => {
        const hostile = all.map((entry) => ({
          ...entry,
          name: entry.name.join("/"),
          linkname: entry.linkname.join("/"),
        }));
        await attempt(await dockerArchive([await tar(hostile)]));
      }),
      { numRuns: 40 },
    );
  });
});

/** Loads the archive in a process of its own, which is killed once it has come to unpacking. */
async function killedLoad(folder: string, archive: string): Promise<void> {
  const code = `import { createLoadedImages } from ${JSON.stringify(new URL("loaded-images.ts", import.meta.url).href)};
    await createLoadedImages(${JSON.stringify(folder)}).load(${JSON.stringify(archive)}); console.log("loaded");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const isUnpacking = (): boolean =>
    existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, "root/etc/motd")));
  while (!isUnpacking() && child.exitCode === null) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGKILL");
  await ended;
  assert.equal(said, "", "it was killed before it was through");
}

test("a load that is killed leaves nothing that is listed or found, and the next one sweeps its folders", async () => {
  await withStore(async ({ images, file, folder }) => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ name: `usr/file-${index}`, text: "x".repeat(1000) }));
    const archive = file(await dockerArchive([await tar([{ name: "etc/motd", text: "hello" }, ...many])]));
    const store = join(folder, "store/images");
    await killedLoad(store, archive);
    assert.ok(readdirSync(store).length > 0);
    assert.deepEqual(images.list(), []);
    assert.equal(images.find(parseImageReference("app:1")), undefined);
    await images.load(archive);
    assert.deepEqual(readdirSync(store), [`sha256-${sha256(config)}`]);
    // Of a load of other images, too; a start sweeps without one.
    mkdirSync(join(store, "loading-abc/root"), { recursive: true });
    images.sweep();
    assert.deepEqual(readdirSync(store), [`sha256-${sha256(config)}`]);
  });
});

test("a name that a killed load left with two images is the last one's, and goes from both", async () => {
  await withStore(async ({ images, file, folder }) => {
    const layer = await tar([{ name: "etc/motd", text: "hello" }]);
    const first = await dockerArchive([layer]);
    await images.load(file(first));
    const store = join(folder, "store/images");
    const [former = ""] = readdirSync(store);
    const kept = readFileSync(join(store, former, "image.json"));
    await images.load(file(anotherConfig(first)));
    // As before its name was taken away, some time ago.
    mkdirSync(join(store, former));
    writeFileSync(join(store, former, "image.json"), kept);
    utimesSync(join(store, former, "image.json"), 1, 1);
    assert.equal(images.list().length, 1);
    assert.notEqual(images.find(parseImageReference("app:1"))?.id, former.replace("-", ":"));
    images.remove("app:1");
    assert.deepEqual(images.list(), []);
    assert.deepEqual(readdirSync(store), []);
  });
});
