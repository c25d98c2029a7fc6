/** Sockets as the kernel's calls make them: on the calling thread, so in that thread's network namespace. */
import koffi from "koffi";
import { SystemCallError } from "./error.ts";

const library = koffi.load(null);
// No `ssize_t` in koffi: intptr_t has the same width on every Linux.
const calls = {
  socket: library.func("int socket(int domain, int type, int protocol)"),
  bind: library.func("int bind(int fd, const uint8_t *address, unsigned int length)"),
  connect: library.func("int connect(int fd, const uint8_t *address, unsigned int length)"),
  setsockopt: library.func("int setsockopt(int fd, int level, int name, const uint8_t *value, unsigned int length)"),
  send: library.func("intptr_t send(int fd, const uint8_t *buffer, size_t length, int flags)"),
  close: library.func("int close(int fd)"),
  recv: library.func("intptr_t recv(int fd, uint8_t *buffer, size_t length, int flags)"),
} as const;

/** From <sys/socket.h>. */
export const socketFamilies = { inet: 2, inet6: 10, netlink: 16 } as const;
export const socketTypes = { stream: 1, datagram: 2, raw: 3, nonBlocking: 0o4000, closeOnExec: 0o2_000_000 } as const;
/** `truncate`: recv returns the full length of a message that did not fit. */
export const messageFlags = { truncate: 0x20, doNotWait: 0x40 } as const;

/** Returns the file descriptor, which the caller closes. */
export function openSocket(family: number, type: number, protocol = 0): number {
  const fd = calls.socket(family, type, protocol) as number;
  if (fd < 0) throw new SystemCallError(`socket(${family}, ${type}, ${protocol})`, koffi.errno());
  return fd;
}

/** `address` is a whole `struct sockaddr_…`. */
export function bindSocket(fd: number, address: Uint8Array): void {
  if ((calls.bind(fd, address, address.length) as number) < 0) throw new SystemCallError("bind", koffi.errno());
}

/** A non-blocking socket is still connecting afterwards (EINPROGRESS is no error here). */
export function connectSocket(fd: number, address: Uint8Array): void {
  if ((calls.connect(fd, address, address.length) as number) >= 0) return;
  const error = new SystemCallError("connect", koffi.errno());
  if (error.code !== "EINPROGRESS") throw error;
}

export function setSocketOption(
  fd: number,
  option: { readonly level: number; readonly name: number },
  value: number,
): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  const result = calls.setsockopt(fd, option.level, option.name, bytes, bytes.length) as number;
  if (result < 0) throw new SystemCallError(`setsockopt(${option.level}, ${option.name}, ${value})`, koffi.errno());
}

/** Returns how many bytes were sent. */
export function sendOnSocket(fd: number, bytes: Uint8Array, flags = 0): number {
  const sent = Number(calls.send(fd, bytes, bytes.length, flags));
  if (sent < 0) throw new SystemCallError("send", koffi.errno());
  return sent;
}

/** Fills `buffer` and returns the length; blocks unless the socket or the flags say otherwise (then: EAGAIN). */
export function receiveFromSocket(fd: number, buffer: Uint8Array, flags = 0): number {
  for (;;) {
    const length = Number(calls.recv(fd, buffer, buffer.length, flags));
    if (length >= 0) return length;
    const error = new SystemCallError("recv", koffi.errno());
    // A child's end may interrupt the call (SIGCHLD); nothing was read then.
    if (error.code !== "EINTR") throw error;
  }
}

/** For descriptors made here: fs.closeSync warns in a Worker, which keeps account of what fs opened. */
export function closeSocket(fd: number): void {
  calls.close(fd);
}
