/** `netloom clean-up CONFIG STATUS`: the supervisor's last act, when a cluster ended without `netloom down`. */
import { isStarting, removeRunFolder, removeTraces } from "../components/lab-host/index.ts";
import { readClusterFile } from "./cluster-file.ts";

export async function cleanUp([configFile = "", status = ""]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  // While `netloom up` watches, it tells the user what went wrong, from logs that lie in these folders, and cleans up.
  if (isStarting(config.runDir)) return;
  // The holder ends well only when it was asked to, by `netloom stop` or by the machine's shutdown, and with a code of its
  // own where it could not go on: the state is kept for `netloom start`. Whoever kills it wants it gone.
  if (Number(status) < killedStatus) removeRunFolder(config);
  else removeTraces(config);
}

/** From here on a status names the signal. */
const killedStatus = 128;
