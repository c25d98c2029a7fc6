/** The fake's images: a fixed list, found without any file. */
import { ImageError } from "../errors.ts";
import { imageReferenceText, parseImageReference } from "../images/reference.ts";
import type { Image, ImageService } from "../runtime.ts";

const busybox = { entrypoint: [], command: ["sh"] };

/** Names without a tag; any tag is found. */
const known: Readonly<Record<string, Pick<Image, "entrypoint" | "command">>> = {
  "docker.io/library/busybox": busybox,
  "docker.io/library/nginx": { entrypoint: [], command: ["nginx", "-g", "daemon off;"] },
  "docker.io/library/httpd": { entrypoint: [], command: ["nginx"] },
  "docker.io/kennethreitz/httpbin": { entrypoint: [], command: ["nginx"] },
};

export function createFakeImages(): ImageService {
  const present = new Map<string, Image>();
  return {
    pull(name, { never }) {
      return Promise.resolve().then(() => {
        const reference = parseImageReference(name);
        const full = imageReferenceText(reference);
        const entry = known[`${reference.registry}/${reference.repository}`];
        if (never && !present.has(full)) {
          throw new ImageError(
            "ErrImageNeverPull",
            `Container image ${JSON.stringify(name)} is not present with pull policy of Never`,
          );
        }
        if (entry === undefined) {
          throw new ImageError("ErrImagePull", `failed to pull and unpack image ${JSON.stringify(full)}: not found`);
        }
        const image: Image = {
          id: `sha256:${Buffer.from(full).toString("hex").padEnd(64, "0").slice(-64)}`,
          name: full,
          repoDigest: "",
          sizeBytes: 0,
          source: "catalog",
          env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
          workingDir: "/",
          user: "",
          stopSignal: "SIGTERM",
          warnings: [],
          ...entry,
        };
        present.set(full, image);
        return image;
      });
    },
    list: () => Promise.resolve([...present.values()]),
  };
}
