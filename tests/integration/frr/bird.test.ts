/** BIRD as the router: what our FRR says is understood by another implementation, and the other way round. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { run } from '#lab/process/run.ts';
import { community, peer } from '#tests/support/bgp-factories.ts';
import { Bird } from '#tests/support/bird.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { OURS } from '#tests/support/frr-lab.ts';
import { profile } from '#tests/support/frr-scenarios.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

const BIRD = { ipv4: '10.77.0.3', ipv6: 'fd77::3' } as const;
const V4 = '198.18.0.1/32';
const V6 = '2001:db8::1/128';
let s: SessionLab;
let bird: Bird;

beforeAll(async () => {
  s = await SessionLab.start('bgpbrd');
  await s.lab.segment.host('bird', `${BIRD.ipv4}/24`, `${BIRD.ipv6}/64`);
  bird = await Bird.start(s.lab.folder, s.lab.segment.netns('bird'));
});
afterAll(async () => {
  await bird?.stop();
  await s?.down();
});
beforeEach(() => s.open());
afterEach(async () => {
  await bird.configure('');
  await s.close();
});

interface BirdSession {
  readonly name?: string;
  /** Its AS; ours is 64512. */
  readonly asn?: number;
  readonly local?: string;
  readonly neighbor?: string;
  readonly more?: string;
  readonly families?: readonly string[];
}

/** A session that waits for ours and takes everything. */
function session({
  name = 'us',
  asn = 64513,
  local = BIRD.ipv4,
  neighbor = OURS.ipv4,
  more = '',
  families = [local.includes(':') ? 'ipv6' : 'ipv4'],
}: BirdSession = {}): string {
  const channels = families.map((family) => `${family} { import all; export none; };`).join(' ');
  return `protocol bgp ${name} { local ${local} as ${asn}; neighbor ${neighbor} as 64512; passive yes; error wait time 1, 2; ${more} ${channels} }\n`;
}

const toBird = (part = {}) => peer('bird', BIRD.ipv4, { connectTime: 1, ...part });
const toBird6 = peer('bird6', BIRD.ipv6, { connectTime: 1 });
const established = (name = 'us') =>
  eventually(async () => expect(await bird.protocol(name)).toMatch(/BGP state:\s+Established/), LONG);
const has = (...prefixes: readonly string[]) =>
  eventually(async () => expect(await bird.prefixes()).toEqual(prefixes), LONG);
const attribute = (route: string, name: string) =>
  new RegExp(`^\\s*BGP\\.${name}: (.*)$`, 'm').exec(route)?.[1];
/** Received by a protocol since it was configured: `Import updates` and `Import withdraws`. */
async function imported(what: 'updates' | 'withdraws', name = 'us'): Promise<number> {
  return Number(new RegExp(`Import ${what}:\\s+(\\d+)`).exec(await bird.protocol(name))?.[1]);
}

describe('sessions', () => {
  it('eBGP over IPv4 and over IPv6: routes of the family, origin IGP, our AS; withdrawn when gone', async () => {
    await bird.configure(session() + session({ name: 'us6', local: BIRD.ipv6, neighbor: OURS.ipv6 }));
    s.announce([toBird(), toBird6]);
    await has(V4, V6);
    for (const prefix of [V4, V6]) {
      const route = await bird.route(prefix);
      expect(attribute(route, 'origin')).toBe('IGP');
      expect(attribute(route, 'as_path')).toBe('64512');
    }
    expect(attribute(await bird.route(V4), 'next_hop')).toBe(OURS.ipv4);
    expect(attribute(await bird.route(V6), 'next_hop')).toMatch(/^fd77::1\b/);
    s.port.setDesired(announcing([], { peers: [toBird(), toBird6] }));
    await has();
    await established();
    await established('us6');
  });

  it('iBGP: local preference, standard, well-known and large communities; no AS in the path', async () => {
    await bird.configure(session({ asn: 64512 }));
    const communities = ['64512:77', '65535:65282', 'large:64512:4294967295:3'].map(community);
    const own = toBird({ remoteAs: { kind: 'internal' } });
    s.announce([own], {}, { localPref: 4_000_000_000, med: 7, asPathPrepend: 3, communities });
    await has(V4);
    const route = await bird.route(V4);
    expect(attribute(route, 'local_pref')).toBe('4000000000');
    expect(attribute(route, 'community')).toBe('(64512,77) (65535,65282)');
    expect(attribute(route, 'large_community')).toBe('(64512, 4294967295, 3)');
    expect(attribute(route, 'med')).toBe('7');
    expect(attribute(route, 'as_path') ?? '').toBe('');
  });

  it('eBGP: MED and a longer path, changed in place: one update, no withdrawal, the session stays', async () => {
    await bird.configure(session());
    s.announce([toBird()]);
    await has(V4);
    const before = await imported('updates');
    s.announce([toBird()], {}, { med: 50, asPathPrepend: 2, communities: [community('64512:1')] });
    await eventually(async () => {
      const route = await bird.route(V4);
      expect(attribute(route, 'as_path')).toBe('64512 64512 64512');
      expect(attribute(route, 'med')).toBe('50');
      expect(attribute(route, 'community')).toBe('(64512,1)');
    }, LONG);
    expect([await imported('updates'), await imported('withdraws')]).toEqual([before + 1, 0]);
    expect(await s.ours(BIRD.ipv4)).toMatchObject({ connectionsEstablished: 1, connectionsDropped: 0 });
  });

  it('both families over one session', async () => {
    await bird.configure(session({ families: ['ipv4', 'ipv6'] }));
    s.announce([toBird({ dualStackAddressFamily: true })]);
    await has(V4, V6);
  });

  it('unnumbered: found by router advertisements, IPv4 with an IPv6 next hop', async () => {
    const radv = 'protocol radv { interface "eth0" { max ra interval 4; }; }\n';
    const channels =
      'ipv4 { import all; export none; extended next hop yes; }; ipv6 { import all; export none; };';
    await bird.configure(
      `${radv}protocol bgp us { local as 64513; neighbor range fe80::/64 as 64512; interface "eth0"; dynamic name "us"; passive yes; ${channels} }\n`,
    );
    s.announce([peer('bird', 'eth0', { connectTime: 1, remoteAs: { kind: 'external' } })]);
    await has(V4, V6);
    expect(attribute(await bird.route(V4), 'next_hop')).toMatch(/fe80::/);
  });

  it('a router two hops away', async () => {
    const { segment } = s.lab;
    const far = '10.79.0.3';
    await segment.host('mid', '10.77.0.4/24');
    const settings = ['ip_forward=1', 'conf.all.send_redirects=0', 'conf.eth0.send_redirects=0'];
    const sysctl = ['sysctl', '-qw', ...settings.map((one) => `net.ipv4.${one}`)];
    await run(['ip', 'netns', 'exec', segment.netns('mid'), ...sysctl]);
    await segment.ip('bird', 'addr', 'add', `${far}/32`, 'dev', 'lo');
    await segment.ip('mid', 'route', 'add', `${far}/32`, 'via', BIRD.ipv4);
    await segment.ip('ours', 'route', 'add', `${far}/32`, 'via', '10.77.0.4');
    await segment.ip('bird', 'route', 'add', `${OURS.ipv4}/32`, 'via', '10.77.0.4');
    try {
      await bird.configure(session({ local: far, more: 'multihop 2;' }));
      s.announce([peer('far', far, { connectTime: 1, ebgpMultiHop: true })]);
      await has(V4);
      expect(attribute(await bird.route(V4), 'next_hop')).toBe(OURS.ipv4);
    } finally {
      await segment.ip('bird', 'route', 'del', `${OURS.ipv4}/32`);
    }
  });
});

describe('what guards a session', () => {
  it('a password (TCP MD5): not with another one, and then with the right one', async () => {
    const password = 'a?b|c!d#e$f';
    await bird.configure(session({ more: `password "${password}";` }));
    s.announce([toBird({ password: 'wrong' })]);
    await s.settled();
    await eventually(async () => {
      expect((await s.ours(BIRD.ipv4)).bgpState).toMatch(/^(Connect|Active)$/);
    }, LONG);
    s.announce([toBird({ password })]);
    await has(V4);
  });

  it('BFD: up on both sides; BIRD ends the session when ours falls silent, and it comes back', async () => {
    const bfd = 'protocol bfd { interface "eth0" { interval 200 ms; multiplier 3; }; }\n';
    await bird.configure(bfd + session({ more: 'bfd yes; debug { events };' }));
    const fast = profile('fast', { receiveInterval: 200, transmitInterval: 200 });
    s.announce([toBird({ bfdProfile: 'fast' })], { bfdProfiles: [fast] });
    await has(V4);
    const up = () =>
      eventually(async () => {
        expect(await bird.birdc('show', 'bfd', 'sessions')).toMatch(/10\.77\.0\.1\s+eth0\s+Up/);
        const peers = await s.lab.ours.json<readonly { status: string }[]>('show bfd peers json');
        expect(peers.map(({ status }) => status)).toEqual(['up']);
      }, LONG);
    await up();
    const before = bird.log.length;
    s.lab.ours.daemon('bfdd')?.signal('SIGSTOP');
    try {
      // The session itself may be back before anybody looks: our bgpd, which bfdd tells nothing, connects at once.
      await eventually(() => expect(bird.log.slice(before)).toMatch(/us: .*BFD session down/), LONG);
    } finally {
      s.lab.ours.daemon('bfdd')?.signal('SIGCONT');
    }
    await up();
    expect((await s.ours(BIRD.ipv4)).connectionsDropped).toBeGreaterThan(0);
    await has(V4);
  });

  it('graceful restart: BIRD keeps the route while our bgpd is away, and has it afterwards', async () => {
    await bird.configure(session({ more: 'graceful restart aware;' }));
    s.announce([toBird({ gracefulRestart: true })]);
    await has(V4);
    await s.lab.ours.daemon('bgpd')?.stop();
    await eventually(async () => {
      expect(await bird.protocol('us')).toMatch(/Neighbor graceful restart active/);
    }, LONG);
    expect(await bird.prefixes()).toEqual([V4]);
    await s.lab.ours.startDaemon('bgpd');
    await eventually(async () => {
      // Never without it on the way.
      expect(await bird.prefixes()).toEqual([V4]);
      expect(await bird.protocol('us')).toMatch(/BGP state:\s+Established/);
      expect(await bird.protocol('us')).not.toMatch(/graceful restart active/);
    }, LONG);
    expect(await imported('withdraws')).toBe(0);
  });
});

describe('the other way', () => {
  it('nothing that BIRD announces is taken, unless an entry 20 permits it that was appended', async () => {
    const routes =
      'protocol static { ipv4; route 192.0.2.0/24 blackhole; route 203.0.113.0/24 blackhole; }\n';
    const channel = 'ipv4 { import all; export where source = RTS_STATIC; };';
    await bird.configure(
      `${routes}protocol bgp us { local ${BIRD.ipv4} as 64513; neighbor ${OURS.ipv4} as 64512; passive yes; ${channel} }\n`,
    );
    const ours = () => s.lab.ours.vtysh('show bgp ipv4 unicast json');
    s.announce([toBird()]);
    await eventually(async () => expect(await bird.prefixes()).toContain(V4), LONG);
    expect(await ours()).not.toContain('192.0.2.0/24');
    const frrExtras = `ip prefix-list wanted permit 192.0.2.0/24\nroute-map ${BIRD.ipv4}-in permit 20\n match ip address prefix-list wanted\n`;
    s.announce([toBird()], { frrExtras });
    await eventually(async () => expect(await ours()).toContain('192.0.2.0/24'), LONG);
    expect(await ours()).not.toContain('203.0.113.0/24');
  });
});
