/** `metallb validate --live`: a cluster as it is, and files as if they were applied to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lab } from '#lab/lab.ts';
import { tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const STORED = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: [192.0.2.0/24]}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: lan, namespace: metallb-system}
spec: {ipAddressPools: [lan]}
`;
const OVERLAPPING = `# a comment, so that lines count
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata:
  name: more
  namespace: metallb-system
spec:
  addresses:
    - 198.51.100.0/24
    - 192.0.2.128/25
`;

let lab: Lab;
let folder = '';
let kubeconfig = '';

async function validate(...args: readonly string[]) {
  const argv = [process.execPath, join(root, 'cli/main.ts'), 'validate', ...args];
  return tryRun(argv, { env: { PATH: process.env['PATH'] ?? '', KUBECONFIG: kubeconfig } });
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-validate', level: 'light', nodes: 1, report: quiet });
  await lab.kubectl(['apply', '-f', 'config/crd']);
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await lab.kubectl(['create', 'namespace', 'metallb-system']);
  await lab.kubectl(['apply', '-f', '-'], { input: STORED });
  kubeconfig = await lab.hostKubeconfig();
  folder = mkdtempSync(join(tmpdir(), 'metallb-validate-'));
  writeFileSync(join(folder, 'more.yaml'), OVERLAPPING);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await lab?.down();
});

describe('metallb validate --live', () => {
  it('finds nothing wrong with a sound cluster', async () => {
    const { code, stdout } = await validate('--live');
    expect(stdout).toMatch(/\d+ objects/);
    expect(code).toBe(0);
  });

  it('judges files as if they were applied: object, file, line, and what stands in the way', async () => {
    const file = join(folder, 'more.yaml');
    expect((await validate(file)).code).toBe(0);
    const { code, stdout } = await validate('--live', file);
    expect(code).toBe(1);
    expect(stdout).toContain(`${file}:10`);
    expect(stdout).toMatch(/POOL-11.*overlaps with already defined CIDR 192\.0\.2\.0\/24/s);
  });

  it('-o json and -o github', async () => {
    const file = join(folder, 'more.yaml');
    const json = await validate('--live', '-o', 'json', file);
    expect(JSON.parse(json.stdout)).toMatchObject([{ code: 'POOL-11', file, line: 10 }]);
    const github = await validate('--live', '-o', 'github', file);
    expect(github.stdout).toMatch(/^::error file=.*more\.yaml,line=10/m);
  });

  it('tells what is stored and faulty, since no webhook kept it out', async () => {
    const bad = '{"spec":{"communities":["nobody-knows"]}}';
    await lab.kubectl([
      'patch',
      'bgpadvertisement',
      'lan',
      '-n',
      'metallb-system',
      '--type=merge',
      '-p',
      bad,
    ]);
    const { code, stdout } = await validate('--live');
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /BGPAdvertisement metallb-system\/lan.*ADB-12|ADB-12.*BGPAdvertisement metallb-system\/lan/s,
    );
  });

  it('a cluster that does not answer, and one that cannot be found, are said so', async () => {
    await lab.control.stop('kube-apiserver');
    const dead = await validate('--live');
    expect(dead.code).toBe(1);
    expect(dead.stdout).toBe('');
    expect(dead.stderr).toMatch(/^metallb: .+/);
    expect(dead.stderr).not.toMatch(/\n\s+at /);
    const none = await validate('--live', '--kubeconfig', join(folder, 'nothing'));
    expect(none.code).not.toBe(0);
    expect(none.stderr).toContain('nothing');
  });
});
