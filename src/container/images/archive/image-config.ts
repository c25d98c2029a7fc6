/** The part of an archive's image configuration that a container inherits. */
import { statSync } from "node:fs";
import type { Image } from "../../runtime.ts";
import { parseImageReference } from "../reference.ts";
import { asObject, machineArchitecture, stringsOf, type ArchivedImage } from "./read-archive.ts";

export function imageOfConfig(archived: ArchivedImage, name: string): Omit<Image, "name"> {
  const { config: inherited, architecture } = asObject(archived.config);
  const config = asObject(inherited);
  const text = (key: string): string => (typeof config[key] === "string" ? config[key] : "");
  const { registry, repository } = parseImageReference(name);
  const isForeign = typeof architecture === "string" && architecture !== machineArchitecture();
  return {
    id: archived.id,
    repoDigest: archived.manifestDigest === "" ? "" : `${registry}/${repository}@${archived.manifestDigest}`,
    sizeBytes: archived.layers.reduce((sum, layer) => sum + statSync(layer).size, 0),
    source: "archive",
    entrypoint: stringsOf(config["Entrypoint"]),
    command: stringsOf(config["Cmd"]),
    env: stringsOf(config["Env"]),
    workingDir: text("WorkingDir"),
    user: text("User"),
    stopSignal: text("StopSignal") || "SIGTERM",
    warnings: isForeign ? [`${name} is made for ${architecture}, this machine is ${machineArchitecture()}`] : [],
  };
}
