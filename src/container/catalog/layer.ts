/** Writing the few files of a catalog image. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** `text` is a file, `link` the target of a symbolic link. */
export type LayerFile = { readonly text: string; readonly mode?: number } | { readonly link: string };

export function writeLayer(folder: string, files: Readonly<Record<string, LayerFile>>): void {
  for (const [path, file] of Object.entries(files)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    if ("link" in file) symlinkSync(file.link, target);
    else {
      writeFileSync(target, file.text);
      chmodSync(target, file.mode ?? 0o644);
    }
  }
}

/** The machine's users and one more, as packages add them. */
export function withUser(user: {
  readonly name: string;
  readonly id: number;
  readonly home: string;
}): Readonly<Record<string, LayerFile>> {
  const { name, id, home } = user;
  const without = (text: string): string =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(`${name}:`))
      .map((line) => `${line}\n`)
      .join("");
  return {
    "etc/passwd": {
      text: `${without(readFileSync("/etc/passwd", "utf8"))}${name}:x:${id}:${id}::${home}:/usr/sbin/nologin\n`,
    },
    "etc/group": { text: `${without(readFileSync("/etc/group", "utf8"))}${name}:x:${id}:\n` },
  };
}
