/**
 * Tells a story step by step: what is done, what one should see, how long it took; with a moving line on a
 * terminal and plain lines in a log. The story is kept as data for `--json`.
 */
import { writeFileSync } from 'node:fs';
import { messageOf } from '#core/errors.ts';

export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** What was seen: figures, addresses, command output. */
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

export interface Step {
  readonly name: string;
  /** What the step does, in one line. */
  readonly does: string;
  /** What one should see when it worked. */
  readonly see: string;
  /** `progress` replaces the moving line; it may be called as often as one likes. */
  readonly run: (progress: (text: string) => void) => Promise<Readonly<Record<string, unknown>>>;
}

export interface Terminal {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
}

const PLAIN_LINE_EVERY_MS = 15_000;

/** The line that shows that a long step is alive. */
class MovingLine {
  readonly #out: Terminal;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #lastPlain = performance.now();

  constructor(out: Terminal) {
    this.#out = out;
    this.#timer = setInterval(() => this.#draw(), out.isTTY ? 200 : 1000);
  }

  readonly update = (text: string): void => {
    this.#text = text;
  };

  #draw(): void {
    const seconds = Math.round((performance.now() - this.#started) / 1000);
    const line = `      … ${this.#text} (${seconds} s)`;
    if (this.#out.isTTY) {
      this.#out.write(`\r\u001b[2K${line.slice(0, this.#out.columns - 1)}`);
    } else if (performance.now() - this.#lastPlain >= PLAIN_LINE_EVERY_MS) {
      this.#lastPlain = performance.now();
      this.#out.write(`${line}\n`);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#out.isTTY) this.#out.write('\r\u001b[2K');
  }
}

export class Story {
  readonly results: StepResult[] = [];
  readonly #out: Terminal;
  readonly #started = performance.now();

  constructor(out: Terminal) {
    this.#out = out;
  }

  /** Runs one step; a failure is told, kept and thrown on, since later steps build on it. */
  async tell(step: Step): Promise<void> {
    const number = this.results.length + 1;
    this.#out.write(`\n[${number}] ${step.name}\n      ${step.does}\n      expect: ${step.see}\n`);
    const line = new MovingLine(this.#out);
    const started = performance.now();
    const seconds = (): number => Math.round(performance.now() - started) / 1000;
    try {
      const evidence = await step.run(line.update);
      line.stop();
      this.results.push({ name: step.name, ok: true, seconds: seconds(), evidence });
      for (const [key, value] of Object.entries(evidence)) this.#out.write(`      ${key}: ${show(value)}\n`);
      this.#out.write(`      ok (${seconds().toFixed(1)} s)\n`);
    } catch (error) {
      line.stop();
      const message = messageOf(error);
      this.results.push({ name: step.name, ok: false, seconds: seconds(), evidence: {}, error: message });
      this.#out.write(`      FAILED after ${seconds().toFixed(1)} s: ${message}\n`);
      throw error;
    }
  }

  get seconds(): number {
    return Math.round(performance.now() - this.#started) / 1000;
  }

  /** Writes the story as data: level, total seconds and the steps. */
  save(file: string, about: Readonly<Record<string, unknown>>): void {
    writeFileSync(
      file,
      `${JSON.stringify({ ...about, seconds: this.seconds, steps: this.results }, null, 2)}\n`,
    );
  }
}

function show(value: unknown): string {
  if (typeof value === 'string')
    return value.includes('\n') ? `\n${value.trimEnd().replace(/^/gm, '        ')}` : value;
  return JSON.stringify(value);
}
