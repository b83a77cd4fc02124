/** Webhooks that the API server has to reach before it stores anything of ours. */
import type { Check, Finding } from '#core/doctor/check.ts';
import type { ClusterFacts, CrdFact, WebhookFact } from '#core/doctor/cluster-facts.ts';

const admission: Check<ClusterFacts> = {
  id: 'webhooks',
  fine: 'every admission webhook of the group has a ready endpoint, or there is none',
  needs: ['webhooks'],
  run: ({ webhooks }) => webhooks.flatMap(dead),
};

function dead(webhook: WebhookFact): Finding[] {
  const { configuration, index, name, failurePolicy, service, endpoints, hasCa } = webhook;
  const object = `ValidatingWebhookConfiguration ${configuration}`;
  const where = `${service.namespace}/${service.name}`;
  const blocks = failurePolicy === 'Fail';
  const severity = blocks ? 'error' : 'warning';
  const outcome = blocks
    ? 'the API server refuses every write of these kinds'
    : 'nothing is checked before it is stored';
  const remove = `If nothing of it is wanted any more: kubectl delete validatingwebhookconfiguration ${configuration}`;
  if (endpoints === undefined || endpoints === 0) {
    const lack = endpoints === undefined ? 'which does not exist' : 'which has no ready endpoint';
    return [
      {
        severity,
        object,
        field: `webhooks[${index}].clientConfig.service`,
        message: `webhook ${name} is at Service ${where}, ${lack}: ${outcome}`,
        remedy: `${endpoints === undefined ? '' : `See the pods behind Service ${where}. `}${remove}`,
      },
    ];
  }
  if (hasCa) return [];
  return [
    {
      severity,
      object,
      field: `webhooks[${index}].clientConfig.caBundle`,
      message: `webhook ${name} has no CA, so the API server trusts no answer: ${outcome}`,
      remedy: `See the log of the pods behind Service ${where}, which write it.`,
    },
  ];
}

const conversion: Check<ClusterFacts> = {
  id: 'conversion',
  fine: 'no kind needs a conversion webhook that is gone',
  needs: ['crds'],
  run: ({ crds }) => crds.flatMap(unreadable),
};

function unreadable({ name, conversion: webhook }: CrdFact): Finding[] {
  if (webhook === undefined || (webhook.endpoints ?? 0) > 0) return [];
  const lack = webhook.endpoints === undefined ? 'does not exist' : 'has no ready endpoint';
  return [
    {
      severity: 'error',
      object: `CustomResourceDefinition ${name}`,
      field: 'spec.conversion.webhook.clientConfig.service',
      message: `Service ${webhook.namespace}/${webhook.name} ${lack}: objects stored in another version cannot be read, and their namespace cannot be deleted`,
      remedy: `kubectl replace -f config/crd/${fileOf(name)}, which needs no conversion webhook.`,
    },
  ];
}

/** `bgppeers.metallb.io` → `metallb.io_bgppeers.yaml`. */
function fileOf(name: string): string {
  const dot = name.indexOf('.');
  return `${name.slice(dot + 1)}_${name.slice(0, dot)}.yaml`;
}

const reachable: Check<ClusterFacts> = {
  id: 'webhook-answer',
  fine: 'the API server gets an answer from the webhooks (asked with a dry run), or has none to ask',
  needs: ['probe'],
  run: ({ probe, webhooks }) =>
    probe === ''
      ? []
      : [
          {
            severity: 'error',
            object: `ValidatingWebhookConfiguration ${webhooks[0]?.configuration ?? '(none of the group)'}`,
            field: 'webhooks[].clientConfig',
            message: `a pool that was only tried out did not get through: ${probe}`,
            remedy:
              'Let the API server reach the webhook: its port 9443 on the pods (network policies, firewalls between control plane and nodes), and see that its certificate is current.',
          },
        ],
};

export const webhookChecks: readonly Check<ClusterFacts>[] = [admission, conversion, reachable];
