export { NfnetlinkError, NfnetlinkSocket, nftablesGroup, subsystem, type Request } from "./socket.ts";
