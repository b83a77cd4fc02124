/** What stands under config/, taken by a real API server as a user would apply it. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import { quiet } from '#lab/report.ts';

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-operator-m', level: 'light', nodes: 1, report: quiet });
});

afterAll(() => lab?.down());

function apply(file: string, ...flags: string[]): Promise<string> {
  return lab.kubectl(['apply', '-f', '-', ...flags], { input: readFileSync(`config/${file}`, 'utf8') });
}

const strict = '--validate=strict';

it('config/manifests: backend frr, then native over it', async () => {
  expect(await apply('manifests/metallb-frr.yaml', strict)).toContain('daemonset.apps/speaker created');
  expect(await apply('manifests/metallb-frr.yaml', strict)).toContain('daemonset.apps/speaker unchanged');
  expect(await apply('manifests/metallb-native.yaml', strict)).toContain('daemonset.apps/speaker configured');
});

it.each(readdirSync('config/samples'))('config/samples/%s', async (file) => {
  const answer = await apply(`samples/${file}`, strict);
  expect(answer.trim().split('\n').length).toBe(
    readFileSync(`config/samples/${file}`, 'utf8').match(/^kind: /gm)?.length,
  );
});

it('config/crd and config/manifests/rbac.yaml by themselves, for programs started by hand', async () => {
  const crds = await lab.kubectl(['apply', strict, '--server-side', '--force-conflicts', '-f', 'config/crd']);
  expect(crds).toContain('metallbs.metallb.io serverside-applied');
  expect(await apply('manifests/rbac.yaml', strict)).not.toMatch(/created|configured/);
});

it('config/operator: one file, and the same by kustomize', async () => {
  expect(await apply('operator/install.yaml', strict)).toContain(
    'metallb-operator-controller-manager created',
  );
  const built = await lab.kubectl(['kustomize', 'config']);
  const answer = await lab.kubectl(['apply', strict, '--dry-run=server', '-f', '-'], { input: built });
  expect(answer).not.toMatch(/created|configured/);
  expect(answer).toMatch(/deployment\.apps\/metallb-operator-controller-manager unchanged/);
});
