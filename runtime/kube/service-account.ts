/**
 * A pod's service account. By hand, though client-node could: its generated models cost every pod of ours 17 MB of
 * memory, and this is three files.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError, messageOf } from '#core/errors.ts';
import type { Identity } from './identity.ts';

/** Where the kubelet puts it. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** `host` and `port` as in $KUBERNETES_SERVICE_HOST and _PORT. Throws SettingsError when the files are not there. */
export function serviceAccount(folder: string, host: string, port: string | undefined): Identity {
  const name = host.includes(':') ? `[${host}]` : host;
  const read = async (file: string): Promise<string> => (await readFile(join(folder, file), 'utf8')).trim();
  return {
    server: new URL(`https://${name}:${port ?? '443'}`),
    namespace: namespaceIn(folder),
    proxy: undefined,
    read: async () => ({
      tls: { ca: await read('ca.crt') },
      headers: { authorization: `Bearer ${await read('token')}` },
    }),
  };
}

function namespaceIn(folder: string): string {
  try {
    return readFileSync(join(folder, 'namespace'), 'utf8').trim();
  } catch (error) {
    const why = messageOf(error);
    throw new SettingsError([
      `the service account in ${folder} cannot be read: ${why}; set automountServiceAccountToken: true or give --kubeconfig`,
    ]);
  }
}
