/**
 * FRRConfigurations that our speakers wrote for an external frr-k8s and no longer keep: by them it would go on
 * announcing addresses that are long somebody else's.
 */
import { frrConfigurationType as type, installationSelector } from '#core/frrk8s/object.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';

export interface LeftConfigurationsOptions {
  readonly client: KubeClient;
  /** Our own: what other installations made is theirs. */
  readonly namespace: string;
  readonly logger: Logger;
}

export class LeftConfigurations {
  readonly #options: LeftConfigurationsOptions;
  /** Not known before the first look. */
  #mayExist = true;

  constructor(options: LeftConfigurationsOptions) {
    this.#options = options;
  }

  /** The speakers write them. */
  mayExist(): void {
    this.#mayExist = true;
  }

  /** Deletes them, wherever they are; one look, until speakers have written again. To be called when no speaker writes. */
  async remove(signal: AbortSignal): Promise<void> {
    if (!this.#mayExist) return;
    const { client, namespace, logger } = this.#options;
    const labelSelector = installationSelector(namespace);
    const found = (await unless(404, client.list(type, { labelSelector, signal }))) ?? [];
    for (const { metadata } of found) {
      const { namespace: where, name, uid } = metadata;
      await unless(
        404,
        client.delete({ type, namespace: where, name }, { signal, ...(uid === undefined ? {} : { uid }) }),
      );
      logger.info('object deleted', { object: `FRRConfiguration/${name}`, namespace: where });
    }
    this.#mayExist = false;
  }
}
