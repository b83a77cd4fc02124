// The first step of every `npm run` command. Plain JavaScript that any Node from 20 on can run: it brings
// the npm packages (Node 24 among them) in when they are missing or older than the lock file, then hands
// over to the program named on the command line, run by that Node 24.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');

/** Ends with one line that names what is missing and what to do; exit code 69 (service unavailable). */
function stop(message) {
  process.stderr.write(`bootstrap: ${message}\n`);
  process.exit(69);
}

function installPackages() {
  const stamp = join(root, 'node_modules', '.metallb-lock');
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stderr.write('bootstrap: installing npm packages (npm ci, about half a minute)\n');
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error) stop(`npm cannot be started (${npm.error.message}): install npm and run the command again`);
  if (npm.status !== 0)
    stop('npm ci failed (see the lines above): check that the npm registry can be reached');
  writeFileSync(stamp, lock);
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 20) stop(`Node ${process.versions.node} is too old to start with: install Node 20 or newer`);
installPackages();
const node = join(bin, 'node');
if (!existsSync(node))
  stop(`no Node 24 package for ${process.platform}/${process.arch}: linux on x64 or arm64 is needed`);

const [first, ...rest] = process.argv.slice(2);
if (first === undefined) stop('no program named');
const [program, args] = first === '--bin' ? [join(bin, rest[0]), rest.slice(1)] : [node, [first, ...rest]];
const run = spawnSync(program, args, {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, NODE_OPTIONS: '' },
});
if (run.error) stop(`${program} cannot be started: ${run.error.message}`);
process.exit(run.status ?? 1);
