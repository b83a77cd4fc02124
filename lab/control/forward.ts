/**
 * A small program: passes connections on, so that a program in one network namespace is reached from another.
 * Usage: forward.ts LISTEN TARGET, each `unix:PATH` or `tcp:HOST:PORT`. With port 0 it writes the port it got to
 * standard output.
 */
import { rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts } from 'node:net';

function parse(text: string): NetConnectOpts {
  const unix = /^unix:(.+)$/.exec(text)?.[1];
  if (unix !== undefined) return { path: unix };
  const [, host, port] = /^tcp:(.+):(\d+)$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`"${text}" is neither unix:PATH nor tcp:HOST:PORT`);
  return { host, port: Number(port) };
}

const [listen = '', target = ''] = process.argv.slice(2);
const [from, to] = [parse(listen), parse(target)];
const server = createServer({ allowHalfOpen: true }, (client) => {
  const upstream = connect({ ...to, allowHalfOpen: true });
  client.pipe(upstream).pipe(client);
  client.on('error', () => upstream.destroy());
  upstream.on('error', () => client.destroy());
  client.on('close', () => upstream.destroy());
});
if ('path' in from) rmSync(from.path, { force: true });
server.listen(from, () => {
  const address = server.address();
  process.stdout.write(`listening ${typeof address === 'object' ? address?.port : address}\n`);
});
