export { NfnetlinkError, NfnetlinkSocket, subsystem, type Request } from "./socket.ts";
