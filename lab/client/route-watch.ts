/**
 * Follows the kernel's routes of a place as they come and go (`ip monitor route`): the moment at which a
 * router really forwards to a prefix, a little after the UPDATE that told it.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { LabError } from '#lab/errors.ts';

export interface RouteEvent {
  readonly kind: 'added' | 'deleted';
  /** As the kernel prints it: without a length for a single address. */
  readonly prefix: string;
  /** performance.now() at which the line was read. */
  readonly at: number;
}

export class RouteWatch implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawn>;
  readonly #closed: Promise<void>;
  readonly #listeners = new Set<(event: RouteEvent) => void>();

  /** @param netns full name of a network namespace. */
  constructor(netns: string) {
    const argv = [`--net=/run/netns/${netns}`, 'stdbuf', '-oL', 'ip', 'monitor', 'route'];
    const child = spawn('nsenter', argv, { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    this.#child = child;
    this.#closed = new Promise((resolve) => child.on('close', () => resolve()));
  }

  #read(line: string): void {
    const match = /^(Deleted )?([0-9a-f:.]+(?:\/\d+)?) /.exec(line);
    if (match?.[2] === undefined) return;
    const event: RouteEvent = {
      kind: match[1] === undefined ? 'added' : 'deleted',
      prefix: match[2],
      at: performance.now(),
    };
    for (const listener of this.#listeners) listener(event);
  }

  /**
   * Resolves with the next matching event; ask before the change is made.
   * @throws LabError when none came in time.
   */
  next(kind: RouteEvent['kind'], prefix: string, deadlineMs = 15_000): Promise<RouteEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(new LabError(`waited ${deadlineMs / 1000} s for the route ${prefix} to be ${kind} in vain`));
      }, deadlineMs);
      const listener = (event: RouteEvent): void => {
        if (event.kind !== kind || event.prefix !== prefix) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(event);
      };
      this.#listeners.add(listener);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#closed;
  }
}
