/** What the commands that people ask most often want to know, in one question to the process that knows it: no TLS, no lists. */
export { askOverview, OverviewError } from "./ask-overview.ts";
export { answerOfServer, type NodeOverview, type PortOverview } from "./answers.ts";
export { createOverviewSocket } from "./overview-socket.ts";
