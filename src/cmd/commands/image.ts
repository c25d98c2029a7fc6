/** `netloom image …`: the images pods can run. */
import { clusterCommand, type CommandGroup } from "./command-line.ts";

export const addImageCommands: CommandGroup = (program, { signal }) => {
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
      const [{ loadImages }, { exclusively }] = await Promise.all([import("../image.ts"), import("../clusters.ts")]);
      const work = async (): Promise<string> => await loadImages(name, file);
      process.stdout.write(await exclusively({ name, command: "image", signal }, work));
    });
  clusterCommand(image, "rm", "remove a loaded image from a cluster")
    .argument("<image>", "its name, as image ls shows it")
    .action(async (reference: string, { name }: { name: string }) => {
      const [{ removeImage }, { exclusively }] = await Promise.all([import("../image.ts"), import("../clusters.ts")]);
      const work = async (): Promise<string> => removeImage(name, reference);
      process.stdout.write(await exclusively({ name, command: "image", signal }, work));
    });
};
