/**
 * Kubeconfig files with all that they may hold (exec and OIDC plugins, proxies): client-node's KubeConfig. The only
 * value import of client-node in runtime/, and imported by credentials.ts only when there is such a file: a pod has
 * none (service-account.ts).
 */
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { SettingsError, messageOf } from '#core/errors.ts';
import type { Identity } from './identity.ts';

/** What client-node takes where it finds no kubeconfig at all. */
const NOTHING_FOUND = 'http://localhost:8080';

/** From the file, if one is named; else as kubectl does (KUBECONFIG, the home folder). Throws SettingsError. */
export function kubeconfig(path: string | undefined): Identity {
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else loadFile(config, path);
  } catch (error) {
    const why = messageOf(error);
    throw new SettingsError([`kubeconfig ${path ?? '(default)'} cannot be read: ${why}`]);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw noServer('the current context names no cluster');
  if (path === undefined && cluster.server === NOTHING_FOUND) throw noServer('there is no kubeconfig');
  return {
    server: new URL(cluster.server),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace?.trim(),
    proxy: cluster.proxyUrl,
    read: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername } = options;
      const tls = definedOf({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername });
      return { tls, headers: headersOf(config, options) };
    },
  };
}

function noServer(why: string): SettingsError {
  return new SettingsError([
    `no API server: give --kubeconfig, or run in a pod with a service account (${why})`,
  ]);
}

/** client-node does not know `user.tokenFile`: it becomes the auth provider that reads it. */
function loadFile(config: KubeConfig, path: string): void {
  config.loadFromFile(path);
  const { users } = parse(readFileSync(path, 'utf8')) as {
    users?: readonly { name: string; user?: { tokenFile?: string } }[];
  };
  for (const { name, user } of users ?? []) {
    if (user?.tokenFile === undefined) continue;
    const tokenFile = resolve(dirname(path), user.tokenFile);
    const authProvider = { name: 'tokenFile', config: { tokenFile } };
    config.users = config.users.map((known) => (known.name === name ? { ...known, authProvider } : known));
  }
}

function headersOf(config: KubeConfig, options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  const user = config.getCurrentUser();
  if (user?.username !== undefined && headers['authorization'] === undefined) {
    const basic = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    headers['authorization'] = `Basic ${basic}`;
  }
  return headers;
}

function definedOf(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
