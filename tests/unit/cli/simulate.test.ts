import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { simulateCommand } from '#cli/simulate/command.ts';
import { SettingsError } from '#core/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'metallb-simulate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function simulate(
  text: string,
  ...flags: readonly string[]
): Promise<{ code: number; output: string }> {
  const path = join(folder, 'in.yaml');
  writeFileSync(path, text);
  let output = '';
  const code = await simulateCommand([...flags, path], { env: {}, write: (part) => (output += part) });
  return { code, output };
}

const pool = (spec: string): string =>
  `apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: lan}\nspec: ${spec}\n---\n`;
const service = (name: string, annotations = '{}', spec = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, annotations: ${annotations}}\n` +
  `spec: {type: LoadBalancer, ports: [{port: 80}]${spec}}\n---\n`;

describe('metallb simulate', () => {
  it('says who gets what and why, in the order of the file, and exits with 0', async () => {
    const text = pool('{addresses: [192.0.2.0/31]}') + service('b') + service('a');
    const { code, output } = await simulate(text);
    expect(output).toContain('default/b: gains 192.0.2.0 (pool lan): ');
    expect(output).toContain('default/a: gains 192.0.2.1 (pool lan): ');
    expect(output).toContain('2 Services: 0 keeps, 2 gains, 0 moves, 0 loses, 0 waits');
    expect(code).toBe(0);
  });

  it('names what stands in the way, each pool, and the remedy; exit code 1', async () => {
    const asks = '{metallb.io/loadBalancerIPs: 192.0.2.0}';
    const { code, output } = await simulate(
      pool('{addresses: [192.0.2.0/30]}') + service('first') + service('second', asks),
    );
    expect(output).toMatch(/default\/second: waits no address: .*also in use by default\/first/);
    expect(output).toContain(
      '  remedy  Give all Services on the address one value of metallb.io/allow-shared-ip',
    );
    expect(code).toBe(1);
  });

  it('a faulty pool is an error, and the others are still simulated', async () => {
    const { code, output } = await simulate(pool('{addresses: [nonsense]}') + service('a'), '-o', 'json');
    expect(JSON.parse(output)).toMatchObject({
      errors: [expect.stringContaining('POOL-3 IPAddressPool lan spec.addresses[0]')],
      services: [{ service: 'default/a', change: 'waits', after: [] }],
    });
    expect(code).toBe(1);
  });

  it('nothing to do, or an unknown format, is told', async () => {
    const host = { env: {}, write: () => undefined };
    await expect(simulateCommand([], host)).rejects.toThrow(SettingsError);
    await expect(simulateCommand(['-o', 'xml', 'x'], host)).rejects.toThrow(/"xml" is not one of text, json/);
  });
});
