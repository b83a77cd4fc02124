/** controller.md §1.1, §1.2: the flags and environment of the shipped manifests. */
import { describe, expect, it } from 'vitest';
import { options, settingsProblems } from '#controller/settings.ts';
import { parseSettings } from '#runtime/settings/settings.ts';

describe('settings', () => {
  it('has the defaults of MetalLB', () => {
    const settings = parseSettings(options, [], {});
    expect(settings).toMatchObject({
      port: 9120,
      healthPort: 17472,
      logLevel: 'info',
      lbClass: '',
      namespace: '',
      leaderElect: false,
      certServiceName: 'metallb-webhook-service',
      webhookSecret: 'metallb-webhook-cert',
    });
    expect(settingsProblems(settings)).toEqual([]);
  });

  it('takes what the Helm chart and the plain manifest pass', () => {
    const argv = [
      '--port=9120',
      '--health-probe-port=17472',
      '--log-level=debug',
      '--webhook-mode=enabled',
      '--lb-class=metallb.io/x',
      '--tls-min-version=VersionTLS13',
      '--metrics-cert-dir=/etc/metrics',
      '-cert-service-name=s',
      '--disable-cert-rotation',
      '--webhook-http2=false',
    ];
    const env = {
      METALLB_NAMESPACE: 'metallb-system',
      METALLB_POD_NAME: 'controller-1',
      METALLB_ML_SECRET_NAME: 'memberlist',
      METALLB_DEPLOYMENT: 'controller',
      METALLB_BGP_TYPE: 'frr',
    };
    expect(parseSettings(options, argv, env)).toMatchObject({
      namespace: 'metallb-system',
      podName: 'controller-1',
      memberlistSecret: 'memberlist',
      deployment: 'controller',
      bgpType: 'frr',
      lbClass: 'metallb.io/x',
      disableCertRotation: true,
    });
  });

  it.each(['--log-level=loud', '--webhook-mode=maybe', '--port=-1', '--no-such-flag'])(
    'refuses %s',
    (flag) => {
      expect(() => parseSettings(options, [flag], {})).toThrow(/--/);
    },
  );

  it('refuses lease times that cannot work', () => {
    const flags = ['--leader-elect-lease-duration=5s', '--leader-elect-renew-deadline=5s'];
    expect(settingsProblems(parseSettings(options, flags, {}))).toHaveLength(1);
  });
});
