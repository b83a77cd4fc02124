/** Certificates and kubeconfig files of a lab, made with openssl (Node issues no certificates). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_PORT, CONTROL } from '#lab/net/plan.ts';
import { run } from '#lab/process/run.ts';

export interface Identity {
  /** Name of the files: `NAME.crt`, `NAME.key`, `NAME.kubeconfig`. */
  readonly name: string;
  /** Common name: the user. */
  readonly user: string;
  /** Organisations: the groups. */
  readonly groups?: readonly string[];
}

const API_NAMES = [
  'DNS:localhost',
  'DNS:kubernetes',
  'DNS:kubernetes.default',
  'DNS:kubernetes.default.svc',
  'IP:127.0.0.1',
  'IP:::1',
  `IP:${CONTROL.ipv4}`,
  `IP:${CONTROL.ipv6}`,
  'IP:10.96.0.1',
  'IP:fd00:96::1',
];

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'] as const;

export class Pki {
  readonly folder: string;

  constructor(labFolder: string) {
    this.folder = join(labFolder, 'pki');
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** The authority, the service accounts' key pair and the API server's own certificates. */
  async create(): Promise<void> {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    // openssl's own default configuration would make every certificate an authority.
    writeFileSync(this.path('openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
    await this.#request(
      'ca',
      '/CN=lab-ca',
      ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign,cRLSign'],
      [],
    );
    await run([
      'openssl',
      'ecparam',
      '-genkey',
      '-name',
      'prime256v1',
      '-noout',
      '-out',
      this.path('sa.key'),
    ]);
    await run(['openssl', 'ec', '-in', this.path('sa.key'), '-pubout', '-out', this.path('sa.pub')]);
    await Promise.all([
      this.#issue('apiserver', '/CN=kube-apiserver', [
        `subjectAltName=${API_NAMES.join(',')}`,
        'extendedKeyUsage=serverAuth',
      ]),
      this.issueClient({
        name: 'kubelet-client',
        user: 'apiserver-kubelet-client',
        groups: ['system:masters'],
      }),
    ]);
  }

  /** A client certificate: `NAME.crt` and `NAME.key`. */
  async issueClient({ name, user, groups = [] }: Identity): Promise<void> {
    const subject = [...groups.map((group) => `/O=${group}`), `/CN=${user}`].join('');
    await this.#issue(name, subject, ['extendedKeyUsage=clientAuth']);
  }

  /** A client certificate and a kubeconfig with it; returns the kubeconfig's path. `server` is host:port. */
  async issueKubeconfig(identity: Identity, server = `${CONTROL.ipv4}:${API_PORT}`): Promise<string> {
    await this.issueClient(identity);
    return this.writeKubeconfig(identity.name, identity.name, server);
  }

  /** Writes `FILE.kubeconfig` that uses the certificate `NAME.crt`. JSON is YAML without its traps (a user called `n`). */
  writeKubeconfig(file: string, name: string, server: string): string {
    return this.#write(file, server, {
      'client-certificate': this.path(`${name}.crt`),
      'client-key': this.path(`${name}.key`),
    });
  }

  /** Writes `FILE.kubeconfig` that uses a token file. */
  writeTokenKubeconfig(file: string, tokenFile: string, server: string): string {
    return this.#write(file, server, { tokenFile });
  }

  #write(file: string, server: string, user: Readonly<Record<string, string>>): string {
    const path = this.path(`${file}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'lab',
          cluster: { server: `https://${server}`, 'certificate-authority': this.path('ca.crt') },
        },
      ],
      users: [{ name: 'lab-user', user }],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab-user' } }],
      'current-context': 'lab',
    };
    writeFileSync(path, JSON.stringify(config, null, 2), { mode: 0o600 });
    return path;
  }

  async #issue(name: string, subject: string, extensions: readonly string[]): Promise<void> {
    const authority = ['-CA', this.path('ca.crt'), '-CAkey', this.path('ca.key')];
    await this.#request(name, subject, extensions, authority);
  }

  async #request(
    name: string,
    subject: string,
    extensions: readonly string[],
    authority: readonly string[],
  ): Promise<void> {
    await run([
      'openssl',
      'req',
      '-x509',
      ...CURVE,
      '-config',
      this.path('openssl.cnf'),
      '-days',
      '3650',
      '-keyout',
      this.path(`${name}.key`),
      '-out',
      this.path(`${name}.crt`),
      '-subj',
      subject,
      ...extensions.flatMap((extension) => ['-addext', extension]),
      ...authority,
    ]);
  }
}
