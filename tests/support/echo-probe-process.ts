/**
 * Sends numbered datagrams to an address that echoes them, one every INTERVAL ms, until SIGTERM; then waits a second
 * for late ones and prints `{"sent", "received", "longestGap"}` (ms without any answer while sending).
 *
 *   node echo-probe-process.ts ADDRESS PORT INTERVAL
 */
import { createSocket } from 'node:dgram';

const [address = '', port = '', interval = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const answered = new Set<number>();
let sent = 0;
let longestGap = 0;
let last = 0;

socket.on('message', (message) => {
  const now = performance.now();
  if (last !== 0) longestGap = Math.max(longestGap, now - last);
  last = now;
  answered.add(message.readUInt32BE(0));
  if (answered.size === 1) process.stdout.write('answered\n');
});
socket.on('error', () => undefined);

const timer = setInterval(() => {
  const message = Buffer.alloc(8);
  message.writeUInt32BE(sent, 0);
  sent += 1;
  // An error to send, such as no route, is a lost datagram like any other.
  socket.send(message, Number(port), address, () => undefined);
}, Number(interval));

process.on('SIGTERM', () => {
  clearInterval(timer);
  setTimeout(() => {
    const gap = Math.round(longestGap);
    process.stdout.write(`${JSON.stringify({ sent, received: answered.size, longestGap: gap })}\n`);
    socket.close();
  }, 1000);
});
