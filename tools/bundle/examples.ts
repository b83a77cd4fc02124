/**
 * One example of every kind and version, as a console proposes them. What people write comes from config/samples;
 * statuses, and kinds that only programs write, stand here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { acceptedKinds } from '#core/status/accepted.ts';
import { namespace } from '#tools/bundle/release.ts';

export interface Example {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec?: object;
  readonly status?: object;
}

const samples = join(import.meta.dirname, '../../config/samples');
const v1beta1 = 'metallb.io/v1beta1';
const since = '2026-01-01T00:00:00Z';

const met = (type: string, reason: string, message = '') => ({
  type,
  status: 'True',
  reason,
  message,
  lastTransitionTime: since,
  observedGeneration: 1,
});

const unmet = (type: string) => ({ ...met(type, type), status: 'False' });

/** By `kind apiVersion`: the status of a healthy object, for kinds that have one. */
const statuses: Readonly<Record<string, object>> = {
  MetalLB: {
    conditions: [
      met('Available', 'Available'),
      met('Upgradeable', 'Upgradeable'),
      unmet('Progressing'),
      unmet('Degraded'),
    ],
  },
  ...Object.fromEntries(
    acceptedKinds.map((kind) => [kind, { conditions: [met('Accepted', 'Accepted')] }]),
  ),
  IPAddressPool: { assignedIPv4: 3, assignedIPv6: 3, availableIPv4: 48, availableIPv6: 253 },
};

/** The sample files that show the kinds people write. */
const shown = ['metallb', 'layer2', 'bgp', 'bgppeer-v1beta1'] as const;

function fromSamples(): Example[] {
  const seen = new Set<string>();
  return shown
    .flatMap((file) => parseAllDocuments(readFileSync(join(samples, `${file}.yaml`), 'utf8')))
    .map((document) => document.toJS() as Example)
    .filter(({ apiVersion, kind }) => {
      const key = `${apiVersion} ${kind}`;
      return !seen.has(key) && seen.add(key);
    })
    .map((sample) => {
      const status = statuses[sample.kind];
      return status === undefined ? sample : { ...sample, status };
    });
}

function example(kind: string, name: string, rest: Pick<Example, 'spec' | 'status'>): Example {
  return { apiVersion: v1beta1, kind, metadata: { name, namespace }, spec: {}, ...rest };
}

function writtenByPrograms(): Example[] {
  const service = { node: 'node1', serviceName: 'web', serviceNamespace: 'default' };
  return [
    example('IPReservation', 'web.shop', {
      spec: { service: { namespace: 'web', name: 'shop' }, addresses: ['192.0.2.110'] },
      status: { conditions: [met('Reserved', 'Reserved')], pool: 'lan' },
    }),
    example('ServiceL2Status', 'l2-example', { status: { ...service, interfaces: [{ name: 'eth0' }] } }),
    example('ServiceBGPStatus', 'bgp-example', { status: { ...service, peers: ['router-a'] } }),
    example('ConfigurationState', 'controller', {
      status: { result: 'Valid', conditions: [met('Valid', 'Valid')] },
    }),
    example('BGPSessionState', 'node1-router-a', {
      status: {
        node: 'node1',
        peer: 'router-a',
        address: '192.0.2.1',
        bgpStatus: 'Established',
        bfdStatus: 'Up',
        since,
        prefixesSent: 3,
        prefixesIntended: 3,
        prefixesAccepted: 0,
        timesEstablished: 1,
        conditions: [met('Established', 'Established'), met('InSync', 'AsIntended')],
      },
    }),
  ];
}

/** All examples, MetalLB first: a console proposes it first. */
export function examples(): Example[] {
  return [...fromSamples(), ...writtenByPrograms()];
}
