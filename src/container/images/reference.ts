/**
 * Image references as the distribution project defines them ("nginx", "quay.io/org/name:tag@sha256:…"), with the
 * defaults Kubernetes users rely on: docker.io, library/, :latest.
 */
import { ImageError } from "../errors.ts";

export interface ImageReference {
  /** "docker.io". */
  readonly registry: string;
  /** "library/nginx". */
  readonly repository: string;
  /** "latest" where neither tag nor digest is given; undefined where only a digest is. */
  readonly tag: string | undefined;
  /** "sha256:…". */
  readonly digest: string | undefined;
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const registryName =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const tagName = /^\w[\w.-]{0,127}$/;
const digestName = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const longestName = 255;

/** Throws `ImageError` with reason "InvalidImageName". */
export function parseImageReference(text: string): ImageReference {
  const [beforeDigest = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !digestName.test(digest)))
    throw invalid(text, "invalid reference format");
  const lastSlash = beforeDigest.lastIndexOf("/");
  const colon = beforeDigest.indexOf(":", lastSlash + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  if (name === "" || (tag !== undefined && !tagName.test(tag))) throw invalid(text, "invalid reference format");
  const { registry, repository } = splitName(name);
  if (!registryName.test(registry)) throw invalid(text, "invalid reference format");
  if (/[A-Z]/.test(repository)) {
    throw invalid(text, `invalid reference format: repository name (${repository}) must be lowercase`);
  }
  if (!repository.split("/").every((part) => component.test(part))) throw invalid(text, "invalid reference format");
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw invalid(text, `invalid repository name (${name}), cannot specify 64-byte hexadecimal strings`);
  }
  if (registry.length + 1 + repository.length > longestName) {
    throw invalid(text, `repository name must not be more than ${longestName} characters`);
  }
  return { registry, repository, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

/** The full name: "docker.io/library/nginx:1.27". */
export function imageReferenceText(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** The first part is a registry only where it could not be a user's name on Docker Hub. */
function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const registry = hasRegistry ? first : "docker.io";
  const rest = hasRegistry ? name.slice(slash + 1) : name;
  if (registry === "docker.io" || registry === "index.docker.io") {
    return { registry: "docker.io", repository: rest.includes("/") ? rest : `library/${rest}` };
  }
  return { registry, repository: rest };
}

function invalid(text: string, why: string): ImageError {
  return new ImageError(
    "InvalidImageName",
    `Failed to apply default image tag ${JSON.stringify(text)}: couldn't parse image name ${JSON.stringify(text)}: ${why}`,
  );
}
