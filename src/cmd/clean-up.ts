/** `netloom clean-up CONFIG STATUS`: the supervisor's last act, when a cluster ended without `netloom down`. */
import { isStarting, removeTraces } from "../components/lab-host/index.ts";
import { readClusterFile } from "./cluster-file.ts";

export async function cleanUp([configFile = ""]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  // While `netloom up` watches, it tells the user what went wrong, from logs that lie in these folders, and cleans up.
  if (isStarting(config.runDir)) return;
  removeTraces(config);
}
