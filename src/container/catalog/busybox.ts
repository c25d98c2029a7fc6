/** The real busybox alone in a small root: its applets as links, no file of the machine beside it. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { findTool, ToolMissingError } from "../../machinery/tools.ts";
import { imageConfig, type CatalogContext, type CatalogEntry } from "./entry.ts";
import { writeLayer } from "./layer.ts";
import { toolOutput } from "./tool-output.ts";

const folders = [
  "bin",
  "dev",
  "etc",
  "home",
  "proc",
  "root",
  "sys",
  "tmp",
  "usr/bin",
  "usr/sbin",
  "var/spool",
  "var/www",
];

const files = {
  "etc/passwd": {
    text: `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`,
  },
  "etc/group": {
    text: `root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
operator:x:37:
users:x:100:
nogroup:x:65534:
`,
  },
  "etc/nsswitch.conf": { text: "hosts: files dns\n" },
} as const;

export const busybox: CatalogEntry = {
  names: ["docker.io/library/busybox", "registry.k8s.io/e2e-test-images/busybox"],
  version: ({ toolsDir }) => /v(\d+\.\d+\.\d+)/.exec(toolOutput("busybox", toolsDir, []))?.[1],
  title: "busybox",
  config: () => imageConfig({ command: ["sh"] }),
  base: "empty",
  mounts: () => [],
  makeLayer: makeBusyboxLayer,
};

/** Stays until it is told to end; what upstream's holds a pod's namespaces with. */
export const pause: CatalogEntry = {
  names: ["registry.k8s.io/pause", "k8s.gcr.io/pause"],
  version: () => undefined,
  title: "pause",
  config: () => imageConfig({ entrypoint: ["/pause"], workingDir: "/" }),
  base: "empty",
  mounts: () => [],
  makeLayer(folder, context) {
    makeBusyboxLayer(folder, context);
    writeLayer(folder, {
      pause: { text: "#!/bin/sh\ntrap 'exit 0' INT TERM\nwhile :; do sleep 86400 & wait $!; done\n", mode: 0o755 },
    });
  },
};

function makeBusyboxLayer(folder: string, { toolsDir }: CatalogContext): void {
  const { path } = findTool("busybox", toolsDir);
  if (isDynamic(path)) {
    throw new ToolMissingError(
      `Cannot make the image "busybox" from ${path}: it needs shared libraries; run "apt-get install busybox-static"`,
    );
  }
  for (const name of folders) mkdirSync(join(folder, name), { recursive: true });
  chmodSync(join(folder, "tmp"), 0o1777);
  chmodSync(join(folder, "root"), 0o700);
  copyFileSync(path, join(folder, "bin/busybox"));
  chmodSync(join(folder, "bin/busybox"), 0o755);
  const applets = toolOutput("busybox", toolsDir, ["--list"]).split("\n");
  for (const name of applets.filter((applet) => /^[\w[.-]+$/.test(applet) && applet !== "busybox")) {
    symlinkSync("busybox", join(folder, "bin", name));
  }
  writeLayer(folder, files);
}

/** An ELF file whose program headers name an interpreter (PT_INTERP). */
function isDynamic(path: string): boolean {
  const head = readFileSync(path).subarray(0, 4096);
  const offset = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => head.readUInt32LE(offset + index * size)).includes(3);
}
