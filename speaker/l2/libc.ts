/**
 * The few calls of the C library that Node lacks: packet and netlink sockets, their options, scheduling. The
 * only file that knows koffi. Every function throws SocketError with the system's error name.
 */
import koffi from 'koffi';
import { AppError } from '#core/errors.ts';

/** A system call that failed; `errno` is the name, e.g. `EPERM`. */
export class SocketError extends AppError {
  readonly errno: string;

  constructor(call: string, errno: string) {
    super('SOCKET', `${call}: ${errno}`, { retry: 'backoff' });
    this.errno = errno;
  }
}

const libc = koffi.load(null);
const calls = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  setsockopt: libc.func(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  ),
  send: libc.func('long send(int fd, const void *bytes, size_t length, int flags)'),
  recv: libc.func('long recv(int fd, void *bytes, size_t length, int flags)'),
  close: libc.func('int close(int fd)'),
  setScheduler: libc.func('int sched_setscheduler(int pid, int policy, const void *param)'),
};

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;

const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

function lastError(): string {
  const number = koffi.errno();
  return names.get(number) ?? `errno ${number}`;
}

function must(call: string, result: number): number {
  if (result < 0) throw new SocketError(call, lastError());
  return result;
}

/** Opens a non-blocking socket that child processes do not inherit; returns its file descriptor. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return must('socket', calls.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol) as number);
}

export function bindSocket(fd: number, address: Buffer): void {
  must('bind', calls.bind(fd, address, address.length) as number);
}

export function setOption(fd: number, option: { level: number; name: number }, value: Buffer): void {
  must('setsockopt', calls.setsockopt(fd, option.level, option.name, value, value.length) as number);
}

/** Sends one datagram or frame. */
export function sendBytes(fd: number, bytes: Uint8Array): void {
  must('send', calls.send(fd, bytes, bytes.length, MSG_DONTWAIT) as number);
}

/** Receives one datagram or frame into the buffer; its length, or undefined when none waits. */
export function receiveInto(fd: number, buffer: Buffer): number | undefined {
  const length = calls.recv(fd, buffer, buffer.length, MSG_DONTWAIT) as number;
  if (length >= 0) return length;
  const errno = lastError();
  if (errno === 'EAGAIN' || errno === 'EWOULDBLOCK' || errno === 'EINTR') return undefined;
  throw new SocketError('recv', errno);
}

export function closeSocket(fd: number): void {
  calls.close(fd);
}

/** The memory address of a buffer, for structures that point to it. The caller keeps the buffer alive. */
export function addressOf(buffer: Buffer): bigint {
  return koffi.address(buffer);
}

/** A file descriptor watched by the event loop of this thread. */
export interface Watch {
  close(): void;
}

/** Calls back as long as something can be read from the file descriptor. */
export function watchReadable(fd: number, readable: () => void): Watch {
  return koffi.node.poll(fd, { readable: true }, readable);
}

/**
 * Gives the calling thread real-time priority (SCHED_RR, the lowest of it), so that a busy node delays no
 * answer. Needs CAP_SYS_NICE; returns the error's name where it is not granted.
 */
export function requestRealTime(): string | undefined {
  const SCHED_RR = 2;
  const RESET_ON_FORK = 0x40000000;
  const param = Buffer.alloc(4);
  param.writeInt32LE(1);
  const result = calls.setScheduler(0, SCHED_RR | RESET_ON_FORK, param) as number;
  return result === 0 ? undefined : lastError();
}
