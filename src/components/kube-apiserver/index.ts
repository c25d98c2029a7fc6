/** The API server: see README.md. */
export { createApiServer } from "./api-server.ts";
export type { ApiServer } from "./api-server.ts";
export type { ApiServerOptions } from "./options.ts";
export type { User } from "./user.ts";
export { serviceAccountUser } from "./user.ts";
