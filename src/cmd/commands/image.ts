/** `netloom image …`: the images pods can run. */
import { clusterCommand, type CommandGroup } from "./command-line.ts";

export const addImageCommands: CommandGroup = (program) => {
  const image = program.command("image").description("the images pods can run").exitOverride();
  clusterCommand(image, "ls", "list the catalog's images and those loaded into a cluster").action(
    async ({ name }: { name: string }) => {
      const { listImages } = await import("../image.ts");
      process.stdout.write(listImages(name));
    },
  );
  clusterCommand(image, "load", "load images from an archive made by docker save or skopeo (OCI or docker-archive)")
    .argument("<file>", "a .tar file")
    .action(async (file: string, { name }: { name: string }) => {
      const { loadImages } = await import("../image.ts");
      process.stdout.write(await loadImages(name, file));
    });
  clusterCommand(image, "rm", "remove a loaded image from a cluster")
    .argument("<image>", "its name, as image ls shows it")
    .action(async (reference: string, { name }: { name: string }) => {
      const { removeImage } = await import("../image.ts");
      process.stdout.write(removeImage(name, reference));
    });
};
