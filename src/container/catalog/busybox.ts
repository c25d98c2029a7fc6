/** The real busybox alone in a small root: its applets as links, no file of the machine beside it. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool, ToolMissingError } from "../../machinery/tools.ts";
import { defaultPath, type CatalogContext, type CatalogEntry } from "./entry.ts";

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

const files: Readonly<Record<string, string>> = {
  "etc/passwd": `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`,
  "etc/group": `root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
operator:x:37:
users:x:100:
nogroup:x:65534:
`,
  "etc/nsswitch.conf": "hosts: files dns\n",
};

export const busybox: CatalogEntry = {
  names: ["docker.io/library/busybox"],
  version: (context) => /v(\d+\.\d+\.\d+)/.exec(run(context, []))?.[1],
  title: (context) => `busybox ${busybox.version(context) ?? ""}`.trim(),
  config: { entrypoint: [], command: ["sh"], env: [defaultPath], workingDir: "/", user: "", stopSignal: "SIGTERM" },
  base: "empty",
  mounts: [],
  makeLayer(folder, context) {
    const { path } = findTool("busybox", context.toolsDir);
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
    const applets = run(context, ["--list"])
      .split("\n")
      .filter((name) => /^[\w[.-]+$/.test(name) && name !== "busybox");
    for (const name of applets) symlinkSync("busybox", join(folder, "bin", name));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  },
};

function run({ toolsDir }: CatalogContext, args: readonly string[]): string {
  const { path, env } = findTool("busybox", toolsDir);
  return execFileSync(path, args, { encoding: "utf8", env: { ...env } });
}

/** An ELF file whose program headers name an interpreter (PT_INTERP). */
function isDynamic(path: string): boolean {
  const head = readFileSync(path).subarray(0, 4096);
  const offset = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  const count = head.readUInt16LE(56);
  return Array.from({ length: count }, (_, index) => head.readUInt32LE(offset + index * size)).includes(3);
}
