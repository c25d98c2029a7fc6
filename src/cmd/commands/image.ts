/** `netloom image …`: the images pods can run. */
import type { ImageFormat } from "../image.ts";
import { clusterCommand, type CommandGroup, formatOption } from "./command-line.ts";

export const addImageCommands: CommandGroup = (program, { signal, progress }) => {
  const image = program.command("image").description("the images pods can run").exitOverride();
  clusterCommand(image, "ls", "list the catalog's images and those loaded into a cluster")
    .alias("list")
    .addOption(formatOption(["table", "json", "yaml"]))
    .action(async ({ name, output }: { name: string; output: ImageFormat }) => {
      const { listImages } = await import("../image.ts");
      process.stdout.write(await listImages(name, output));
    });
  clusterCommand(image, "load", "load images from an archive made by docker save or skopeo (OCI or docker-archive)")
    .argument(
      "<files...>",
      "tar files, plain or compressed with gzip or zstd, or folders of an OCI layout; - reads one from stdin",
    )
    .action(async (files: readonly string[], { name }: { name: string }) => {
      const [{ loadImages }, { exclusively }] = await Promise.all([import("../image.ts"), import("../clusters.ts")]);
      const tell = (message: string): void => void process.stdout.write(`${message}\n`);
      const work = async (): Promise<void> => {
        await loadImages(name, { files, tell, warn: (message) => progress.say(message) });
      };
      await exclusively({ name, command: "image", signal }, work);
    });
  clusterCommand(image, "rm", "remove a loaded image from a cluster")
    .argument("<image>", "its name, as image ls shows it")
    .action(async (reference: string, { name }: { name: string }) => {
      const [{ removeImage }, { exclusively }] = await Promise.all([import("../image.ts"), import("../clusters.ts")]);
      const work = async (): Promise<string> => removeImage(name, reference);
      process.stdout.write(await exclusively({ name, command: "image", signal }, work));
    });
};
