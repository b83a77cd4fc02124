/**
 * A real etcd and kube-apiserver on loopback ports of their own, to be killed and started again at will. No
 * namespaces, no root. The API server trusts the token in `kubeconfig`; the lab is for everything bigger.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBinaries } from '#lab/toolchain/ensure.ts';
import { quiet } from '#lab/report.ts';
import { issueCertificate } from '#runtime/http/certificate.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from './eventually.ts';

type Program = 'etcd' | 'kube-apiserver';
/** Users by name: `admin` may do everything and is never turned away, `other` has only what RBAC gives it. */
const tokens = { admin: 'admin-token', other: 'other-token' };
export type User = keyof typeof tokens;

const prefix = 'metallb-control-plane-';

export class ControlPlane {
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #bin: string;
  readonly #ports: readonly [api: number, etcd: number, peer: number];
  readonly #running = new Map<Program, ChildProcess>();

  private constructor(folder: string, bin: string, ports: readonly [number, number, number]) {
    this.#folder = folder;
    this.#bin = bin;
    this.#ports = ports;
    this.kubeconfig = join(folder, 'kubeconfig');
  }

  /** Starts both; `apiFlags` go to kube-apiserver. Ready when the namespace `default` exists. */
  static async start(apiFlags: readonly string[] = []): Promise<ControlPlane> {
    await removeRemains();
    const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
    const ports = [await freePort(), await freePort(), await freePort()] as const;
    const plane = new ControlPlane(folder, await ensureBinaries(quiet), ports);
    try {
      await plane.#writeFiles();
      plane.startEtcd();
      plane.startApiServer(apiFlags);
      await plane.ready();
    } catch (error) {
      await plane[Symbol.asyncDispose]();
      throw error;
    }
    return plane;
  }

  get apiPort(): number {
    return this.#ports[0];
  }

  /** A kubeconfig of a user, by way of another port where a proxy stands in between. */
  async kubeconfigFor(user: User, port = this.apiPort): Promise<string> {
    const path = join(this.#folder, `${user}-${port}.kubeconfig`);
    await writeFile(path, this.#kubeconfigText(user, port), { mode: 0o600 });
    return path;
  }

  startEtcd(): void {
    const [, client, peer] = this.#ports;
    this.#start('etcd', [
      '--name=one',
      `--data-dir=${join(this.#folder, 'etcd')}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=one=http://127.0.0.1:${peer}`,
    ]);
  }

  startApiServer(flags: readonly string[] = []): void {
    const [api, etcd] = this.#ports;
    const file = (name: string) => join(this.#folder, name);
    this.#start('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${api}`,
      `--tls-cert-file=${file('api.crt')}`,
      `--tls-private-key-file=${file('api.key')}`,
      `--cert-dir=${this.#folder}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      '--profiling=false',
      // Controllers that would make service accounts do not run here.
      '--disable-admission-plugins=ServiceAccount',
      ...flags,
    ]);
  }

  /** For those who measure what the program costs; undefined while it does not run. */
  pidOf(program: Program): number | undefined {
    return this.#running.get(program)?.pid;
  }

  /** Ends a program as a crash would, unless told otherwise. */
  async stop(program: Program, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#running.get(program);
    if (child === undefined) return;
    this.#running.delete(program);
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async ready(): Promise<void> {
    await using credentials = await loadCredentials({ kubeconfig: this.kubeconfig });
    const client = createKubeClient(createTransport(credentials, { logger: silent }));
    await eventually(async () => {
      for (const [name, child] of this.#running) {
        if (child.exitCode !== null) throw new Error(`${name} ended: ${await this.logTail(name)}`);
      }
      await client.request('GET', '/api/v1/namespaces/default');
    }, 60_000);
  }

  async logTail(program: Program): Promise<string> {
    const text = await readFile(join(this.#folder, `${program}.log`), 'utf8');
    return text.split('\n').slice(-10).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('kube-apiserver');
    await this.stop('etcd');
    await rm(this.#folder, { recursive: true, force: true });
  }

  #start(program: Program, flags: readonly string[]): void {
    // The kernel ends the program with us, however we end.
    const argv = ['--pdeathsig', 'KILL', '--', join(this.#bin, program), ...flags];
    const child = spawn('setpriv', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(this.#folder, `${program}.log`), { flags: 'a' });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#running.set(program, child);
  }

  async #writeFiles(): Promise<void> {
    const day = 86_400_000;
    const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
    const ca = issueCertificate({ commonName: 'test-ca', hosts: [], ca: true, ...validity });
    const server = issueCertificate({
      commonName: 'kube-apiserver',
      hosts: ['localhost', '127.0.0.1'],
      ...validity,
      issuer: { ...ca, name: { commonName: 'test-ca' } },
    });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const accounts = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
    const files: Readonly<Record<string, string | Buffer>> = {
      'ca.crt': ca.cert,
      'api.crt': server.cert,
      'api.key': server.key,
      'sa.key': privateKey.export({ type: 'sec1', format: 'pem' }),
      'sa.pub': accounts,
      'tokens.csv': `${tokens.admin},admin,admin-uid,system:masters\n${tokens.other},other,other-uid\n`,
      kubeconfig: this.#kubeconfigText('admin', this.apiPort),
    };
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.#folder, name), text, { mode: 0o600 });
    }
  }

  #kubeconfigText(name: User, port: number): string {
    const cluster = {
      server: `https://127.0.0.1:${port}`,
      'certificate-authority': join(this.#folder, 'ca.crt'),
    };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name, user: { token: tokens[name] } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: name, namespace: 'default' } }],
      'current-context': 'test',
    });
  }
}

/** Folders of runs that were killed: the kernel has ended their programs. */
async function removeRemains(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
