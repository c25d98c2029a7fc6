/** All commands of users, in the order in which help lists them. */
import type { CommandGroup } from "./command-line.ts";
import { addImageCommands } from "./image.ts";
import { addLifeCommands } from "./life.ts";
import { addLookCommands } from "./look.ts";
import { addNodeCommands } from "./node.ts";
import { addSelfCommands } from "./self.ts";
import { addUseCommands } from "./use.ts";

export type { Surroundings } from "./command-line.ts";

export const commandGroups: readonly CommandGroup[] = [
  addLifeCommands,
  addLookCommands,
  addUseCommands,
  addImageCommands,
  addNodeCommands,
  addSelfCommands,
];
