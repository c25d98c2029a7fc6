/** A volume cannot be made (yet); the message is upstream's: `MountVolume.SetUp failed for volume "web" : configmap "web" not found`. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
  readonly code = "FailedMount";

  constructor(volume: string, reason: string, options: ErrorOptions = {}) {
    super(`MountVolume.SetUp failed for volume "${volume}" : ${reason}`, options);
  }
}
