/** The story after the deployment: configuration, addresses, routes, traffic, fail-over, speed. Same at every level. */
import { join } from 'node:path';
import { NAMESPACE, type Stage } from '#lab/demo/stage.ts';
import { bfdUp, nextHops, pathsOf } from '#lab/demo/router-view.ts';
import type { Step } from '#lab/demo/story.ts';
import { RouteWatch } from '#lab/client/route-watch.ts';
import type { Client } from '#lab/client/client.ts';
import { nodeName } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import { ingressOf } from '#lab/workload/service.ts';

const manifests = join(import.meta.dirname, 'manifests');

/** What earlier steps found out for later ones. */
interface Found {
  bgp: { ipv4: string; ipv6: string };
  lan: { ipv4: string; ipv6: string };
}

/** The steps, in order. They share what they find. */
export function storySteps(stage: Stage): readonly Step[] {
  const found: Found = { bgp: { ipv4: '', ipv6: '' }, lan: { ipv4: '', ipv6: '' } };
  return [
    configure(stage),
    serve(stage, found),
    routes(stage, found),
    traffic(stage, found),
    failOver(stage, found),
    announceFast(stage),
    lookAround(stage),
  ];
}

function configure({ lab }: Stage): Step {
  return {
    name: 'Configuration',
    does: 'kubectl apply: a pool, a BFD profile, two BGP peers and an advertisement for BGP; a pool and an advertisement for the LAN',
    see: 'every component says that the configuration is valid',
    run: async () => {
      await lab.kubectl(['apply', '-f', join(manifests, 'bgp.yaml'), '-f', join(manifests, 'l2.yaml')]);
      const states = await waitFor('valid ConfigurationStates', async () => {
        const text = await lab.kubectl(['get', 'configurationstates', '-n', NAMESPACE, '--no-headers']);
        const lines = text.trim().split('\n');
        return (
          lines.length === lab.nodeCount + 1 && lines.every((line) => / Valid /.test(line)) && lines.length
        );
      });
      return { 'valid components': states };
    },
  };
}

function serve(stage: Stage, found: Found): Step {
  return {
    name: 'Services and their addresses',
    does: 'creates two dual-stack Services of type LoadBalancer, web-bgp and web-lan, with a server on every node',
    see: 'both get an IPv4 and an IPv6 address in status.loadBalancer.ingress',
    run: async (progress) => {
      progress('starting the servers');
      const workload = await stage.startWorkload(progress);
      const started = performance.now();
      await stage.createService('web-bgp');
      await stage.createService('web-lan', { pool: 'lan' });
      found.bgp = await addressesOf(stage, 'web-bgp');
      found.lan = await addressesOf(stage, 'web-lan');
      return { ...workload, 'web-bgp': found.bgp, 'web-lan': found.lan, 'both after': `${ms(started)} ms` };
    },
  };
}

async function addressesOf({ lab }: Stage, name: string): Promise<{ ipv4: string; ipv6: string }> {
  const addresses = await waitFor(
    `two addresses of Service ${name}`,
    async () => {
      const found = await ingressOf(lab.api, name);
      return found.length === 2 && found;
    },
    { explain: () => lab.kubectl(['describe', 'service', name]) },
  );
  const [ipv4 = '', ipv6 = ''] = addresses;
  return { ipv4, ipv6 };
}

function routes({ lab }: Stage, found: Found): Step {
  return {
    name: 'Routes at the router',
    does: 'looks into the router: BGP sessions, BFD, paths to the two addresses of web-bgp',
    see: 'one path per node (ECMP) for IPv4 and for IPv6, BFD up on every session',
    run: async (progress) => {
      const want = lab.nodeCount;
      progress('waiting for one path per node');
      const ipv4 = await waitFor(
        'one IPv4 path per node',
        async () => equal(await pathsOf(lab, found.bgp.ipv4), want),
        deadline(lab),
      );
      const ipv6 = await waitFor(
        'one IPv6 path per node',
        async () => equal(await pathsOf(lab, found.bgp.ipv6), want),
        deadline(lab),
      );
      progress('waiting for BFD');
      const sessions = await waitFor(
        'BFD up on every session',
        async () => equal(await bfdUp(lab), 2 * want),
        deadline(lab),
      );
      return {
        'IPv4 paths': ipv4,
        'IPv6 paths': ipv6,
        'BFD sessions up': sessions,
        'kernel next hops': await nextHops(lab, found.bgp.ipv4),
      };
    },
  };
}

const equal = (value: number, want: number): number | undefined => (value === want ? value : undefined);

function deadline(lab: Stage['lab']): { deadlineMs: number; explain: () => Promise<string> } {
  return { deadlineMs: 60_000, explain: () => lab.router.vtysh('show bgp summary') };
}

const url = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}/`;

async function get(client: Client, address: string, what: string): Promise<string> {
  const answer = await waitFor(what, async () => {
    const got = await client.curl(url(address), { maxTimeMs: 1500 });
    if (!got.ok) throw new Error(got.error || `status ${got.status}`);
    return got;
  });
  return answer.body.trim();
}

function traffic({ lab }: Stage, found: Found): Step {
  return {
    name: 'Traffic',
    does: 'HTTP from the client behind the router and from the client on the LAN, to all four addresses',
    see: 'answers over BGP routes, and over ARP and NDP on the LAN',
    run: async () => ({
      'client → web-bgp, IPv4 (BGP)': await get(lab.client, found.bgp.ipv4, 'HTTP over BGP, IPv4'),
      'client → web-bgp, IPv6 (BGP)': await get(lab.client, found.bgp.ipv6, 'HTTP over BGP, IPv6'),
      'LAN → web-lan, IPv4 (ARP)': await get(lab.lan, found.lan.ipv4, 'HTTP on the LAN, IPv4'),
      'LAN → web-lan, IPv6 (NDP)': await get(lab.lan, found.lan.ipv6, 'HTTP on the LAN, IPv6'),
      'client → web-lan, IPv4 (router, ARP)': await get(
        lab.client,
        found.lan.ipv4,
        'HTTP through the router to the LAN',
      ),
      'owner on the LAN': await ownerOf(lab, found.lan.ipv4),
    }),
  };
}

/** The node whose hardware address the LAN client has for an address. */
export async function ownerOf(lab: Stage['lab'], address: string): Promise<string> {
  const mac = await lab.lan.macOf(address);
  for (let index = 1; index <= lab.nodeCount; index += 1)
    if (mac !== undefined && mac === (await lab.at(`node${index}`).ownMac())) return nodeName(index);
  return 'nobody';
}

function failOver({ lab }: Stage, found: Found): Step {
  return {
    name: 'Fail-over on the LAN',
    does: 'pulls the cable of the node that answers for web-lan, while the LAN client keeps asking',
    see: 'another node answers; the time without an answer is printed',
    run: async (progress) => {
      const owner = await waitFor('an owner', async () => {
        await get(lab.lan, found.lan.ipv4, 'HTTP on the LAN');
        const name = await ownerOf(lab, found.lan.ipv4);
        return name !== 'nobody' && name;
      });
      const index = Number(owner.slice('node'.length));
      const started = performance.now();
      await lab.cutNode(index);
      progress(`cut ${owner}; waiting for another node`);
      const takeover = await waitFor(
        'another node to answer for the address',
        async () => {
          const name = await ownerOf(lab, found.lan.ipv4);
          return name !== owner && name !== 'nobody' && { name, after: ms(started) };
        },
        { intervalMs: 10 },
      );
      await waitFor(
        'an answer through another node',
        async () => (await lab.lan.curl(url(found.lan.ipv4), { maxTimeMs: 250 })).ok,
        { intervalMs: 10 },
      );
      const http = ms(started);
      await lab.healNode(index);
      return {
        'cut off': owner,
        'taken over by': takeover.name,
        'address moved after': `${takeover.after} ms`,
        'HTTP again after': `${http} ms`,
      };
    },
  };
}

function announceFast(stage: Stage): Step {
  const { lab } = stage;
  return {
    name: 'A Service added while the clock runs',
    does: 'creates a Service without ready endpoints, then lets them become ready',
    see: 'the time from "endpoint ready" to the route at the router',
    run: async () => {
      await stage.createService('web-fast', { ready: false });
      const { ipv4 } = await addressesOf(stage, 'web-fast');
      await using watch = new RouteWatch(lab.netns('router'));
      const arrival = watch.next('added', ipv4);
      const started = performance.now();
      await stage.makeReady('web-fast');
      const { at } = await arrival;
      return { address: ipv4, 'endpoint ready → route at the router': `${Math.round(at - started)} ms` };
    },
  };
}

function lookAround({ lab }: Stage): Step {
  return {
    name: 'What kubectl shows',
    does: 'kubectl get bgppeers,ipaddresspools,metallbs,servicel2statuses,servicebgpstatuses -A',
    see: 'useful columns',
    run: async () => ({
      table: await lab.kubectl([
        'get',
        'bgppeers,ipaddresspools,metallbs,servicel2statuses,servicebgpstatuses',
        '-A',
      ]),
    }),
  };
}

function ms(started: number): number {
  return Math.round(performance.now() - started);
}
