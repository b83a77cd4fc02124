/**
 * The Operator Lifecycle Manager in a lab: its two operators as processes beside the control plane, and catalogs that
 * `opm serve` hands out. Bundles stand in the catalog themselves, so no image has to be unpacked.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '#lab/lab.ts';
import { ensurePackaging } from '#lab/packaging/ensure.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';

/** Where OLM's operators think they run. */
const NAMESPACE = 'olm';
const FIRST_PORT = 50051;

export class Olm {
  readonly #lab: Lab;
  readonly #bin: string;
  #catalogs = 0;

  private constructor(lab: Lab, bin: string) {
    this.#lab = lab;
    this.#bin = bin;
  }

  /** Makes OLM's kinds and starts both operators; what they do is seen in the API. */
  static async start(lab: Lab, report: Reporter): Promise<Olm> {
    const bin = await ensurePackaging(report);
    const definitions = await run([join(bin, 'bundletool'), 'crds']);
    await lab.kubectl(['apply', '--server-side', '-f', '-'], { input: definitions });
    await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    await lab.kubectl(['create', 'namespace', NAMESPACE]);
    const olm = new Olm(lab, bin);
    olm.#spawn('olm', ['--namespace', NAMESPACE]);
    olm.#spawn('catalog', ['--namespace', NAMESPACE, '--kubeconfig', lab.control.kubeconfig]);
    return olm;
  }

  /**
   * Serves a folder with a file-based catalog; returns the address for a CatalogSource. Each call starts one more
   * server: an address serves the same content for ever.
   */
  async serve(folder: string): Promise<string> {
    this.#catalogs += 1;
    const name = `catalog-${this.#catalogs}`;
    const port = FIRST_PORT + this.#catalogs;
    const own = join(this.#lab.folder, 'olm', name);
    mkdirSync(own, { recursive: true });
    const files = [`--cache-dir=${join(own, 'cache')}`, `--termination-log=${join(own, 'termination')}`];
    const args = ['serve', folder, `--port=${port}`, '--pprof-addr=', ...files];
    const server = this.#spawn(name, [...args, '--cache-enforce-integrity=false'], 'bundletool');
    await waitFor(`the server of ${name}`, () => server.logText().includes('serving registry'), {
      explain: () => server.logTail(),
    });
    return `127.0.0.1:${port}`;
  }

  /** The last words of OLM's operators, for failures. */
  explain(): string {
    const tail = (name: string): string => this.#lab.daemons.find(`olm-${name}`)?.logTail(8) ?? '';
    return `${tail('olm')}\n${tail('catalog')}`;
  }

  #spawn(name: string, args: readonly string[], program = name): Daemon {
    const env = { KUBECONFIG: this.#lab.control.kubeconfig };
    const argv = [join(this.#bin, program), ...args];
    return this.#lab.spawn('control', { name: `olm-${name}`, argv, env });
  }
}
