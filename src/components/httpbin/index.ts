/** The server behind the catalog image kennethreitz/httpbin. */
export { runHttpbin } from "./main.ts";
