/** A TCP proxy on loopback that can slow down, cut and blackhole what passes through it. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export class TcpProxy {
  /** Milliseconds that each chunk towards the client waits. */
  delayMs = 0;
  /** Nothing passes, in either direction, and nothing is closed. */
  silent = false;
  /** New connections are reset at once. */
  refusing = false;
  /** What goes to the server waits for `letGo`, in order and complete. */
  holding = false;
  readonly #held: (() => void)[] = [];
  /** Connections opened so far. */
  opened = 0;
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Forwards to a port of 127.0.0.1. */
  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Chunks on their way to the server that wait. */
  get held(): number {
    return this.#held.length;
  }

  /** What waits goes on, late. */
  letGo(): void {
    this.holding = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  /** Resets every open connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    this.opened += 1;
    if (this.refusing) return void client.resetAndDestroy();
    const server = connect(this.#target, '127.0.0.1');
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.pipe(this.#filter({ toServer: true })).pipe(server);
    server.pipe(this.#filter({ toServer: false })).pipe(client);
  }

  #filter({ toServer }: { toServer: boolean }): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        if (this.silent) return done();
        const wait = toServer ? 0 : this.delayMs;
        if (toServer && this.holding) this.#held.push(() => done(null, chunk));
        else if (wait === 0) done(null, chunk);
        else setTimeout(() => done(null, chunk), wait);
      },
    });
  }
}
