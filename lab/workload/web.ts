/**
 * A small program: an HTTP server that says who answers and who asks. Usage: web.ts NAME PORT ADDRESS….
 * Every answer is JSON: `{"server":"node1","client":"10.91.0.2","address":"10.244.1.10"}`.
 */
import { createServer } from 'node:http';

const [name = '', port = '', ...addresses] = process.argv.slice(2);
const plain = (address = '') => address.replace(/^::ffff:/, '');

for (const address of addresses) {
  const server = createServer((request, response) => {
    const { remoteAddress, localAddress } = request.socket;
    const body = { server: name, client: plain(remoteAddress), address: plain(localAddress) };
    // A kept-alive connection would be answered by the same endpoint again whatever happened to the routes.
    response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  });
  server.listen(Number(port), address, () => process.stdout.write(`listening on ${address} ${port}\n`));
}
