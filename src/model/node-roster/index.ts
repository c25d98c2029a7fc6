export {
  changeRoster,
  initialRoster,
  type NodeChange,
  type NodeRoster,
  NodeRosterError,
  type RosterEntry,
} from "./node-roster.ts";
