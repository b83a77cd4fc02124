/**
 * Sends back what it is sent, by UDP.
 *
 *   node udp-echo-process.ts ADDRESS PORT
 */
import { createSocket } from 'node:dgram';

const [address = '', port = ''] = process.argv.slice(2);
const socket = createSocket('udp4');
socket.on('message', (message, from) => socket.send(message, from.port, from.address));
socket.bind(Number(port), address, () => process.stdout.write('listening\n'));
