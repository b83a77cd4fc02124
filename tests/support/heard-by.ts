/** Which speakers are alive for another one, from what it logs. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

const STARTED = 'mesh of speakers started';
const CHANGED = 'node event - forcing sync';

/** Follows one log, which only grows; each look reads what is new. */
export class HeardBy {
  readonly #file: string;
  readonly #heard = new Set<string>();
  #read = 0;
  /** The beginning of a line whose end is not written yet. */
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  /** Names of the speakers that are alive for the one that writes this log, since it was last started. */
  look(): ReadonlySet<string> {
    const lines = (this.#rest + this.#more()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    return this.#heard;
  }

  #take(line: string): void {
    if (line.includes(STARTED)) this.#heard.clear();
    if (!line.includes(CHANGED)) return;
    const { gone, come } = JSON.parse(line) as { gone: string[]; come: string[] };
    for (const name of gone) this.#heard.delete(name);
    for (const name of come) this.#heard.add(name);
  }

  #more(): string {
    const size = existsSync(this.#file) ? statSync(this.#file).size : 0;
    if (size <= this.#read) return '';
    const bytes = Buffer.alloc(size - this.#read);
    const file = openSync(this.#file, 'r');
    try {
      this.#read += readSync(file, bytes, 0, bytes.length, this.#read);
    } finally {
      closeSync(file);
    }
    return bytes.toString('utf8');
  }
}
