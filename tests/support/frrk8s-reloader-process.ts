/**
 * Stands beside a frr-k8s daemon in place of its reloader script, which needs Python in the FRR image: on SIGHUP it
 * brings the running FRR to FOLDER/frr.conf by the speaker's own driver, and leaves result and running configuration
 * where the daemon looks for them.
 *
 *   node frrk8s-reloader-process.ts FOLDER VTYSH...
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrrModel } from '#core/frr/model.ts';
import { run } from '#lab/process/run.ts';
import { silent, type Logger } from '#runtime/log/logger.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import type { FrrState } from '#speaker/ports.ts';

const [folder = '', ...vtysh] = process.argv.slice(2);
const file = (name: string): string => join(folder, name);
const told: Logger['error'] = (message, fields) =>
  process.stdout.write(`${message} ${JSON.stringify(fields)}\n`);

const bare: FrrModel = { hostname: '', logLevel: 'informational', bfdProfiles: [], routers: [], raw: [] };
/** The driver brings FRR to the text of the one raw part, line by line. */
const render = (model: FrrModel): string => model.raw.map(({ text }) => text).join('\n');
const driver = openFrr({ vtysh, configFile: undefined, runDir: undefined }, render, {
  ...silent,
  error: told,
  warn: told,
});

let seen = '';
driver.onState((state: FrrState) => {
  const result = state.applied === state.desired ? 'success' : state.lastError;
  const news = `${state.desired} ${result}`;
  if (result === undefined || news === seen) return;
  seen = news;
  void run([...vtysh, '-c', 'show running-config']).then((running) => {
    writeFileSync(file('running-config'), running);
    writeFileSync(file('last-error'), result === 'success' ? '' : result);
    writeFileSync(file('.status'), `${Date.now()} ${result === 'success' ? 'success' : 'failure'}`);
    process.stdout.write(`reloaded ${state.desired}: ${result}\n`);
  });
});

/** As FRR prints it: no indentation of its own, no empty lines. */
function content(): string {
  return readFileSync(file('frr.conf'), 'utf8');
}

process.on('SIGHUP', () => {
  driver.setDesired({ ...bare, raw: [{ owner: 'frr-k8s', text: content() }] });
});
writeFileSync(file('reloader.pid'), String(process.pid));
setInterval(() => undefined, 60_000);
process.stdout.write('waiting\n');
