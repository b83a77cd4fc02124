/** Looks at the lab from one of its places as a user would: HTTP, the neighbour table, packets on the wire. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { lastLines, run, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { LabError } from '#lab/errors.ts';

export interface HttpAnswer {
  /** An answer with status 2xx came. */
  readonly ok: boolean;
  /** 0 when none came. */
  readonly status: number;
  readonly body: string;
  readonly seconds: number;
  /** curl's words when there is no answer. */
  readonly error: string;
}

export interface Neighbour {
  readonly ip: string;
  readonly device: string;
  /** Lower-case hardware address; undefined when it could not be resolved. */
  readonly mac: string | undefined;
  /** REACHABLE, STALE, DELAY, PROBE, FAILED, INCOMPLETE, PERMANENT. */
  readonly state: string;
}

export class Client {
  readonly netns: string;

  /** @param netns full name of a network namespace. */
  constructor(netns: string) {
    this.netns = netns;
  }

  /** One GET; never rejects. IPv6 addresses in brackets as in any URL. `bind` is the source address. */
  async curl(url: string, options: { maxTimeMs?: number; bind?: string } = {}): Promise<HttpAnswer> {
    const seconds = (options.maxTimeMs ?? 2000) / 1000;
    const result = await tryRun(
      this.#inside([
        'curl',
        '-sS',
        '-g',
        '--noproxy',
        '*',
        '--max-time',
        String(seconds),
        ...(options.bind === undefined ? [] : ['--interface', options.bind]),
        '-w',
        '\n%{http_code} %{time_total}',
        url,
      ]),
      { timeoutMs: (seconds + 5) * 1000 },
    );
    const cut = result.stdout.lastIndexOf('\n');
    const [status = '0', time = '0'] = result.stdout.slice(cut + 1).split(' ');
    return {
      ok: result.code === 0 && status.startsWith('2'),
      status: Number(status),
      body: result.stdout.slice(0, Math.max(cut, 0)),
      seconds: Number(time),
      error: result.failure ?? result.stderr.trim(),
    };
  }

  /** The neighbour table: whom ARP and NDP have found. */
  async neighbours(): Promise<readonly Neighbour[]> {
    const text = await run(this.#inside(['ip', '-j', 'neigh', 'show']));
    const rows = JSON.parse(text) as { dst: string; dev: string; lladdr?: string; state: string[] }[];
    return rows.map(({ dst, dev, lladdr, state }) => ({
      ip: dst,
      device: dev,
      mac: lladdr,
      state: state[0] ?? '',
    }));
  }

  /** The hardware address that the table has for an IP address. */
  async macOf(ip: string): Promise<string | undefined> {
    return (await this.neighbours()).find((row) => row.ip === ip)?.mac;
  }

  async flushNeighbours(): Promise<void> {
    await run(this.#inside(['ip', 'neigh', 'flush', 'all']));
  }

  /** Hardware address of an interface of this place. */
  async ownMac(device = 'eth0'): Promise<string> {
    const text = await run(this.#inside(['ip', '-j', 'link', 'show', 'dev', device]));
    return (JSON.parse(text) as { address: string }[])[0]?.address ?? '';
  }

  /** `ip -j route show` of one family, without what the kernel adds itself. */
  async routes(family: 4 | 6 = 4): Promise<readonly Record<string, unknown>[]> {
    const text = await run(this.#inside(['ip', `-${family}`, '-j', 'route', 'show']));
    return JSON.parse(text === '' ? '[]' : text) as Record<string, unknown>[];
  }

  /** Starts tcpdump (`filter` in its language) and returns when it listens. Dispose of it to end it. */
  async capture(filter: string, device = 'eth0'): Promise<Capture> {
    const capture = new Capture(
      this.#inside([
        'tcpdump',
        '-i',
        device,
        '-n',
        '-e',
        '-tt',
        '-l',
        '--immediate-mode',
        ...filter.split(' '),
      ]),
    );
    await capture.listening();
    return capture;
  }

  #inside(argv: readonly string[]): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.netns}`, ...argv];
  }
}

/** A running tcpdump: `lines` grows, each beginning with the time in seconds since 1970 and the hardware addresses. */
export class Capture implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: ReturnType<typeof spawn>;
  readonly #closed: Promise<void>;
  #words = '';

  constructor(argv: readonly string[]) {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.on('data', (part: Buffer) => (this.#words += part.toString()));
    child.on('error', (error) => (this.#words += error.message));
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    this.#child = child;
    this.#closed = new Promise((resolve) => child.on('close', () => resolve()));
  }

  async listening(): Promise<void> {
    await waitFor('tcpdump to listen', () => {
      if (this.#child.exitCode !== null) throw new LabError(`tcpdump: ${lastLines(this.#words, 2)}`);
      return this.#words.includes('listening on');
    });
  }

  /** Waits for a line that matches. */
  async waitForLine(pattern: RegExp, deadlineMs = 10_000): Promise<string> {
    return waitFor(`a packet that matches ${pattern}`, () => this.lines.find((line) => pattern.test(line)), {
      deadlineMs,
      intervalMs: 10,
      explain: () => `seen:\n${this.lines.slice(-10).join('\n')}`,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#closed;
  }
}
