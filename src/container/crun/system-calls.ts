/**
 * The system calls behind containers' streams: pipes whose ends are real pipes (Node's are sockets, which a program
 * cannot open again as /dev/stdout), packet sockets of conmon, terminals. Non-blocking; each throws `SystemCallError`.
 */
import koffi from "koffi";
import { SystemCallError } from "../../machinery/libc/index.ts";

const library = koffi.load(null);
const calls = {
  pipe2: library.func("int pipe2(_Out_ int *fds, int flags)"),
  socket: library.func("int socket(int domain, int type, int protocol)"),
  connect: library.func("int connect(int fd, const void *address, uint32_t length)"),
  bind: library.func("int bind(int fd, const void *address, uint32_t length)"),
  listen: library.func("int listen(int fd, int backlog)"),
  accept4: library.func("int accept4(int fd, void *address, void *length, int flags)"),
  recv: library.func("intptr_t recv(int fd, void *buffer, size_t length, int flags)"),
  send: library.func("intptr_t send(int fd, const void *buffer, size_t length, int flags)"),
  recvmsg: library.func("intptr_t recvmsg(int fd, void *message, int flags)"),
  shutdown: library.func("int shutdown(int fd, int how)"),
  ioctl: library.func("int ioctl(int fd, unsigned long request, const void *argument)"),
  eventfd: library.func("int eventfd(unsigned int value, int flags)"),
  poll: library.func("int poll(void *fds, unsigned long count, int timeoutMs)"),
} as const;

const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const unixDomain = 1;
const noSignal = 0x4000;
const again = 11;
const setWindowSize = 0x5414;

function check(result: number, call: string): number {
  if (result < 0) throw new SystemCallError(call, koffi.errno());
  return result;
}

/** `-1` becomes undefined where the call would have blocked. */
function checkUnlessAgain(result: number, call: string): number | undefined {
  if (result < 0 && koffi.errno() === again) return undefined;
  return check(result, call);
}

/** Both ends close on exec; our own end is made non-blocking by the stream that takes it. */
export function makePipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const fds = [0, 0];
  check(calls.pipe2(fds, closeOnExec) as number, "pipe2");
  return { readEnd: fds[0] ?? -1, writeEnd: fds[1] ?? -1 };
}

export type UnixSocketType = "stream" | "sequenced-packets";

/** The address is cut at 108 bytes by the kernel's structure: give paths below /proc/self/fd where it may be longer. */
function unixAddress(path: string): Buffer {
  const bytes = Buffer.from(`\0\0${path}\0`);
  if (bytes.length > 110)
    throw new Error(`Cannot use the socket path ${JSON.stringify(path)}: it has more than 107 bytes`);
  bytes.writeUInt16LE(unixDomain);
  return bytes;
}

function unixSocket(type: UnixSocketType): number {
  const number = type === "stream" ? 1 : 5;
  return check(calls.socket(unixDomain, number | closeOnExec | nonBlocking, 0) as number, "socket");
}

export function connectUnix(path: string, type: UnixSocketType): number {
  const address = unixAddress(path);
  const fd = unixSocket(type);
  check(calls.connect(fd, address, address.length) as number, `connect ${path}`);
  return fd;
}

export function listenUnix(path: string): number {
  const address = unixAddress(path);
  const fd = unixSocket("stream");
  check(calls.bind(fd, address, address.length) as number, `bind ${path}`);
  check(calls.listen(fd, 1) as number, `listen ${path}`);
  return fd;
}

/** undefined: nobody has connected yet. */
export function acceptUnix(fd: number): number | undefined {
  return checkUnlessAgain(calls.accept4(fd, null, null, closeOnExec) as number, "accept4");
}

/** The next packet, empty at the end; undefined: none has come yet. */
export function receivePacket(fd: number, buffer: Buffer): Buffer | undefined {
  const length = checkUnlessAgain(calls.recv(fd, buffer, buffer.length, 0) as number, "recv");
  return length === undefined ? undefined : buffer.subarray(0, length);
}

/** Bytes taken; undefined: none, try again when the socket is writable. */
export function sendPacket(fd: number, bytes: Buffer): number | undefined {
  return checkUnlessAgain(calls.send(fd, bytes, bytes.length, noSignal) as number, "send");
}

/** Tells the other side that no more will be sent. */
export function endSending(fd: number): void {
  check(calls.shutdown(fd, 1) as number, "shutdown");
}

/** The one file descriptor that the sender has passed along with its message (SCM_RIGHTS). Throws where none has come yet. */
export function receiveFileDescriptor(socket: number): number {
  const data = Buffer.alloc(4096);
  const control = Buffer.alloc(64);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(koffi.address(data), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const message = Buffer.alloc(56);
  message.writeBigUInt64LE(koffi.address(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(koffi.address(control), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  const closeReceivedOnExec = 0x4000_0000;
  const doNotWait = 0x40;
  const length = check(calls.recvmsg(socket, message, closeReceivedOnExec | doNotWait) as number, "recvmsg");
  // Named after the call, so that they live until then: the message holds no more than their addresses.
  if (length > data.length || vector.length === 0) throw new Error("Cannot take over the terminal: bad message");
  // struct cmsghdr: 8 bytes length, 4 level, 4 type, then the descriptor.
  if (message.readBigUInt64LE(40) < 20n) throw new Error("Cannot take over the terminal: crun passed no descriptor");
  return control.readInt32LE(16);
}

export function setTerminalSize(fd: number, size: { readonly columns: number; readonly rows: number }): void {
  const argument = Buffer.alloc(8);
  argument.writeUInt16LE(size.rows, 0);
  argument.writeUInt16LE(size.columns, 2);
  check(calls.ioctl(fd, setWindowSize, argument) as number, "ioctl TIOCSWINSZ");
}

export function makeEventDescriptor(): number {
  return check(calls.eventfd(0, closeOnExec | nonBlocking) as number, "eventfd");
}

/**
 * poll(2) in a thread of libuv's pool: resolves with the number of ready entries of `entries` (8 bytes each:
 * descriptor, events, returned events). The namespace of the pool's thread does not matter to it.
 */
export function pollInPool(entries: Buffer, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    calls.poll.async(entries, entries.length / 8, timeoutMs, (error: Error | null, result: number) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
