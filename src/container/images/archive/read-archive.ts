/** Reads what `docker save`, `podman save` and `skopeo` write: docker-archives and OCI layouts, in a tar or a folder. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ArchiveError } from "./archive-error.ts";
import { decompression } from "./decompression.ts";
import { readTar, type TarEntry } from "./read-tar.ts";

/** One image of an archive; `layers` are files, the lowest first. */
export interface ArchivedImage {
  /** As the archive says them: "app:1", "docker.io/library/app:1", or only a tag. */
  readonly names: readonly string[];
  /** The OCI image configuration. */
  readonly config: unknown;
  /** "sha256:…" of the configuration. */
  readonly id: string;
  /** "sha256:…" of the manifest; "" for a docker-archive. */
  readonly manifestDigest: string;
  readonly layers: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

const mostDepth = 4;
const longestDocument = 16 << 20;

/** Unpacks the archive's parts into `folder` and finds its images. Rejects with `ArchiveError`. */
export async function readArchive(file: string, folder: string): Promise<readonly ArchivedImage[]> {
  const parts = statSync(file).isDirectory() ? await partsOfFolder(file) : await unpackParts(file, folder);
  const partOf = (name: string): string => {
    const path = parts.get(normalise(name));
    if (path === undefined) throw new ArchiveError(`Cannot load ${file}: it lacks its part ${JSON.stringify(name)}`);
    return path;
  };
  if (parts.has("manifest.json")) return dockerImages(file, partOf);
  if (parts.has("index.json")) return ociImages(file, partOf);
  throw new ArchiveError(
    `Cannot load ${file}: it has neither manifest.json (docker-archive) nor index.json (OCI layout); make it with "docker save" or "skopeo copy … docker-archive:${basename(file)}"`,
  );
}

/** An OCI layout as `skopeo copy … oci:DIR` writes it; links are not followed. */
async function partsOfFolder(folder: string): Promise<ReadonlyMap<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const parts = new Map(
    files.map(({ parentPath, name }) => join(parentPath, name)).map((path) => [relative(folder, path), path]),
  );
  for (const [key, path] of parts) {
    const hash = createHash("sha256");
    if (digestIn(key) !== undefined) await pipeline(createReadStream(path), hash);
    checkDigest(hash, { key, file: folder });
  }
  return parts;
}

const digestIn = (key: string): string | undefined => /^blobs\/sha256\/([0-9a-f]{64})$/.exec(key)?.[1];

function checkDigest(hash: Hash, { key, file }: { readonly key: string; readonly file: string }): void {
  const wanted = digestIn(key);
  if (wanted === undefined || hash.digest("hex") === wanted) return;
  throw new ArchiveError(`Cannot load ${file}: its part ${key} is damaged: make the archive again`);
}

/** Names are kept in a map and never used as paths. A part named by its digest must have it. */
async function unpackParts(file: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const parts = new Map<string, string>();
  let count = 0;
  const take = async (entry: TarEntry): Promise<void> => {
    const { name, type, linkname } = entry.header;
    const key = normalise(name);
    if (type === "file" || type === "contiguous-file") {
      const path = join(folder, String(count));
      count += 1;
      const hash = createHash("sha256");
      await pipeline(entry, hashing(hash), createWriteStream(path, { flags: "wx" }));
      checkDigest(hash, { key, file });
      parts.set(key, path);
    } else {
      // Old docker-archives link equal layers: "../<other>/layer.tar".
      const target = linkname && parts.get(normalise(join(key, "..", linkname)));
      if (type === "symlink" && target) parts.set(key, target);
    }
  };
  try {
    await readTar([createReadStream(file), ...decompression(file)], take);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(`Cannot read ${file}: ${inWords(error as Error)}`, { cause: error });
  }
  return parts;
}

/** tar-stream speaks to programmers. */
function inWords({ message }: Error): string {
  if (message.startsWith("Invalid tar header")) return "it is no tar archive, or a damaged one; make it again";
  if (/^unexpected end of /i.test(message)) return "it ends too early, or is no tar archive; make it again";
  return message;
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

function dockerImages(file: string, partOf: (name: string) => string): readonly ArchivedImage[] {
  const manifest = readJson(file, partOf("manifest.json"));
  if (!Array.isArray(manifest)) throw new ArchiveError(`Cannot load ${file}: its manifest.json is no list`);
  return manifest.map((image: unknown) => {
    const { Config, RepoTags, Layers } = asObject(image);
    const configPath = partOf(typeof Config === "string" ? Config : "Config");
    return {
      names: stringsOf(RepoTags),
      config: readJson(file, configPath),
      id: digestOf(configPath),
      manifestDigest: "",
      layers: stringsOf(Layers).map(partOf),
    };
  });
}

function ociImages(file: string, partOf: (name: string) => string): readonly ArchivedImage[] {
  const blobOf = (digest: unknown): string => partOf(`blobs/${String(digest).replace(":", "/")}`);
  const others = new Set<string>();
  /** Of an index for several platforms only ours; the others' names are kept, but for attestations, which say "unknown". */
  const forThisMachine = (descriptors: readonly Json[]): readonly Json[] =>
    descriptors.filter(({ platform }) => {
      if (platform === undefined) return true;
      const { os, architecture } = asObject(platform);
      const isOurs = os === "linux" && architecture === machineArchitecture();
      if (!isOurs && os !== "unknown") others.add(`${String(os)}/${String(architecture)}`);
      return isOurs;
    });
  const images = (descriptor: Json, names: readonly string[], depth: number): readonly ArchivedImage[] => {
    if (depth > mostDepth) throw new ArchiveError(`Cannot load ${file}: its indexes are nested too deeply`);
    const document = asObject(readJson(file, blobOf(descriptor["digest"])));
    const annotations = asObject(descriptor["annotations"]);
    const own = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
      .map((key) => annotations[key])
      .find((name) => typeof name === "string");
    const known = own === undefined ? names : [own];
    if (Array.isArray(document["manifests"])) {
      return forThisMachine(document["manifests"].map(asObject)).flatMap((each) => images(each, known, depth + 1));
    }
    const config = blobOf(asObject(document["config"])["digest"]);
    const layers = Array.isArray(document["layers"]) ? document["layers"] : [];
    return [
      {
        names: known,
        config: readJson(file, config),
        id: digestOf(config),
        manifestDigest: String(descriptor["digest"]),
        layers: layers.map((layer: unknown) => blobOf(asObject(layer)["digest"])),
      },
    ];
  };
  const { manifests } = asObject(readJson(file, partOf("index.json")));
  if (!Array.isArray(manifests)) throw new ArchiveError(`Cannot load ${file}: its index.json lists no manifests`);
  const found = forThisMachine(manifests.map(asObject)).flatMap((descriptor) => images(descriptor, [], 0));
  if (found.length > 0 || others.size === 0) return found;
  const ours = `linux/${machineArchitecture()}`;
  throw new ArchiveError(
    `Cannot load ${file}: it is made for ${[...others].join(", ")}, this machine is ${ours}; save it anew after "docker pull --platform ${ours} …"`,
  );
}

/** In OCI's words. */
export function machineArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}

function readJson(file: string, path: string): unknown {
  const { size } = statSync(path);
  if (size > longestDocument)
    throw new ArchiveError(`Cannot load ${file}: a manifest has ${size} bytes, more than ${longestDocument}`);
  try {
    return JSON.parse(readFileSync(path, "utf8")) as unknown;
  } catch (error) {
    throw new ArchiveError(`Cannot load ${file}: a manifest is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function digestOf(path: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}

export function asObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function normalise(name: string): string {
  return join("/", name).slice(1).replace(/\/$/, "");
}
