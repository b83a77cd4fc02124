/**
 * Runs a program as on a kernel that has no IPv6: every `socket(AF_INET6, …)` of it and of its children fails with
 * EAFNOSUPPORT, by a seccomp filter that this process puts on itself before it becomes the program.
 *
 *   node without-ipv6-process.ts PROGRAM ARGUMENT...
 */
import koffi from 'koffi';

const libc = koffi.load(null);
const prctl = libc.func(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);
const fcntl = libc.func('int fcntl(int fd, int command, int value)');
const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)');

const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const FILTER = 2;
const SET_FD_FLAGS = 2;
const AF_INET6 = 10;
const EAFNOSUPPORT = 97;
/** Number of the system call `socket` and the machine's word, by architecture. */
const MACHINES: Readonly<Record<string, readonly [call: number, audit: number]>> = {
  x64: [41, 0xc000003e],
  arm64: [198, 0xc00000b7],
};
const [LOAD, IF_EQUAL, RETURN] = [0x20, 0x15, 0x06];
const [ALLOW, ERRNO] = [0x7fff0000, 0x00050000];

/** [code, jump when true, jump when false, value]; struct seccomp_data holds number, machine, pointer, arguments. */
function filter(call: number, audit: number): readonly (readonly [number, number, number, number])[] {
  return [
    [LOAD, 0, 0, 4],
    [IF_EQUAL, 0, 5, audit],
    [LOAD, 0, 0, 0],
    [IF_EQUAL, 0, 3, call],
    [LOAD, 0, 0, 16],
    [IF_EQUAL, 0, 1, AF_INET6],
    [RETURN, 0, 0, ERRNO | EAFNOSUPPORT],
    [RETURN, 0, 0, ALLOW],
  ];
}

const machine = MACHINES[process.arch];
if (machine === undefined) throw new Error(`the system calls of ${process.arch} are not known`);
const steps = filter(...machine);
const code = Buffer.alloc(8 * steps.length);
for (const [index, [operation, yes, no, value]] of steps.entries()) {
  code.writeUInt16LE(operation, 8 * index);
  code.writeUInt8(yes, 8 * index + 2);
  code.writeUInt8(no, 8 * index + 3);
  code.writeUInt32LE(value, 8 * index + 4);
}
const program = Buffer.alloc(16);
program.writeUInt16LE(steps.length, 0);
program.writeBigUInt64LE(koffi.address(code), 8);

const [path = '', ...args] = process.argv.slice(2);
const env = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) throw new Error('PR_SET_NO_NEW_PRIVS failed');
if (prctl(PR_SET_SECCOMP, FILTER, koffi.address(program), 0, 0) !== 0)
  throw new Error('PR_SET_SECCOMP failed');
// Node closes these for whoever comes after it.
for (const fd of [0, 1, 2]) fcntl(fd, SET_FD_FLAGS, 0);
execve(path, [path, ...args, null], [...env, null]);
throw new Error(`${path} cannot be run`);
