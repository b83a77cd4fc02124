// `helm test`: is what this release asked for there and ready? Runs in our image, with the rights of templates/test.yaml.
'use strict';
const { readFileSync } = require('node:fs');
const { request } = require('node:https');

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, EXPECT_METALLB, WAIT_SECONDS } = process.env;
const namespace = readFileSync(`${folder}/namespace`, 'utf8');

/** The object at a path; undefined when there is none. */
function get(path) {
  const options = {
    host,
    port,
    path,
    ca: readFileSync(`${folder}/ca.crt`),
    headers: { authorization: `Bearer ${readFileSync(`${folder}/token`, 'utf8')}` },
    timeout: 5000,
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () => {
        if (response.statusCode === 404) resolve(undefined);
        else if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`GET ${path}: ${response.statusCode} ${text.slice(0, 200)}`));
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to GET ${path} within 5 s`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}

async function workload(plural, name, counts) {
  const object = await get(`/apis/apps/v1/namespaces/${namespace}/${plural}/${name}`);
  if (object === undefined) return `${plural} ${name}: not there`;
  const { wanted, ready } = counts(object);
  if (object.status?.observedGeneration !== object.metadata.generation) return `${plural} ${name}: not rolled out yet`;
  if (!(wanted > 0)) return `${plural} ${name}: no pod is wanted; see its node selector and tolerations`;
  return ready >= wanted ? undefined : `${plural} ${name}: ${ready} of ${wanted} pods are ready`;
}

const deployment = ({ spec, status }) => ({ wanted: spec.replicas ?? 1, ready: status?.readyReplicas ?? 0 });
const daemonSet = ({ status }) => ({ wanted: status?.desiredNumberScheduled ?? 0, ready: status?.numberReady ?? 0 });

async function metallb() {
  const object = await get(`/apis/metallb.io/v1beta1/namespaces/${namespace}/metallbs/metallb`);
  if (object === undefined) return 'MetalLB metallb: not there';
  const conditions = object.status?.conditions ?? [];
  const of = (type) => conditions.find((condition) => condition.type === type);
  const available = of('Available');
  if (available?.status === 'True' && available.observedGeneration === object.metadata.generation) return undefined;
  const words = conditions.map(({ type, status, reason, message }) => `${type}=${status} ${reason} ${message}`.trim());
  return `MetalLB metallb: not Available (${words.join('; ') || 'the operator has said nothing about it'})`;
}

/** What is wrong, in words. */
async function wrong() {
  const checks = [workload('deployments', 'metallb-operator-controller-manager', deployment)];
  if (EXPECT_METALLB === 'true')
    checks.push(metallb(), workload('deployments', 'controller', deployment), workload('daemonsets', 'speaker', daemonSet));
  return (await Promise.all(checks)).filter((text) => text !== undefined);
}

async function main() {
  const end = Date.now() + Number(WAIT_SECONDS) * 1000;
  for (;;) {
    let found;
    try {
      found = await wrong();
    } catch (error) {
      found = [error.message];
    }
    if (found.length === 0) return 'everything that this release asked for is there and ready';
    if (Date.now() > end) throw new Error(found.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

main().then(
  (text) => console.log(text),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
