/** What the commands that people ask most often want of the API, in one question to the server: no TLS, no lists of objects. */
export { askOverview, OverviewError } from "./ask-overview.ts";
export type { NodeOverview, PortOverview } from "./answers.ts";
export { createOverviewSocket } from "./overview-socket.ts";
