/** The key with which speakers know each other: made once, at the first start (controller.md §1.3). */
import { randomBytes } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { KubeError, type KubeClient } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';

const KEY_BYTES = 16;

export interface MemberlistSecretOptions {
  readonly client: Pick<KubeClient, 'get' | 'create'>;
  readonly namespace: string;
  /** Name of the Secret. */
  readonly name: string;
  /** Name of the Deployment that owns it. */
  readonly deployment: string;
  readonly logger: Logger;
}

/** Creates the Secret unless it exists. Throws AppError naming what is missing. */
export async function ensureMemberlistSecret(options: MemberlistSecretOptions): Promise<void> {
  const { client, namespace, name, deployment, logger } = options;
  if (await exists(client, namespace, name)) return;
  if (deployment === '') {
    throw new AppError(
      'CONFIG',
      `Secret ${namespace}/${name} cannot be created without an owner: set METALLB_DEPLOYMENT to the name of the controller's Deployment`,
      { retry: 'never' },
    );
  }
  const owner = await client.get({ type: kinds.Deployment, namespace, name: deployment });
  const secretkey = randomBytes(KEY_BYTES).toString('base64').replace(/=+$/, '');
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment, uid: owner.metadata.uid },
  ];
  try {
    await client.create(kinds.Secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, ownerReferences },
      data: { secretkey: Buffer.from(secretkey).toString('base64') },
    });
    logger.info('created the membership key of the speakers', { name });
  } catch (error) {
    // Another replica was faster.
    if (!(error instanceof KubeError && error.reason === 'AlreadyExists')) throw error;
  }
}

async function exists(client: Pick<KubeClient, 'get'>, namespace: string, name: string): Promise<boolean> {
  return (await unless(404, client.get({ type: kinds.Secret, namespace, name }))) !== undefined;
}
