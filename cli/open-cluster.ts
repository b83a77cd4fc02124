/** The cluster that a command speaks to. */
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';

export interface OpenCluster extends AsyncDisposable {
  readonly client: KubeClient;
}

/** Opens it by a kubeconfig; empty: as kubectl finds one. Throws SettingsError when there is none to be read. */
export async function openCluster(kubeconfig: string): Promise<OpenCluster> {
  const credentials = await loadCredentials({ kubeconfig });
  const client = createKubeClient(createTransport(credentials, { logger: silent }));
  return { client, [Symbol.asyncDispose]: () => credentials[Symbol.asyncDispose]() };
}
