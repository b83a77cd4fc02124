/** The two programs of the tests of Layer 2: a responder alone, and a probe that sends and sees frames. */
import type { FromProbe, ToProbe } from '#tests/integration/l2/probe-process.ts';
import type {
  FromResponder,
  ResponderArgument,
  ToResponder,
} from '#tests/integration/l2/responder-process.ts';
import { NamespacedProcess } from '#tests/support/netns.ts';

export type Probe = NamespacedProcess<ToProbe, FromProbe>;
export type ResponderProcess = NamespacedProcess<ToResponder, FromResponder>;

const script = (name: string): URL => new URL(`../integration/l2/${name}`, import.meta.url);

/** Starts a probe in the namespace and waits until it listens. */
export async function startProbe(netns: string, argument: object = {}): Promise<Probe> {
  const probe: Probe = new NamespacedProcess(netns, script('probe-process.ts'), argument);
  await probe.expect(({ kind }) => kind === 'ready');
  return probe;
}

/** Starts a responder in the namespace and waits until it knows the interfaces. */
export async function startResponder(
  netns: string,
  argument: ResponderArgument = {},
): Promise<ResponderProcess> {
  const responder: ResponderProcess = new NamespacedProcess(netns, script('responder-process.ts'), argument);
  await responder.expect(({ kind }) => kind === 'started');
  return responder;
}
