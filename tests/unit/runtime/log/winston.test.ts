import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError, BugError } from '#core/errors.ts';
import { createLogger, type LogLevel } from '#runtime/log/winston.ts';
import type { Logger } from '#runtime/log/logger.ts';

async function logged(write: (logger: Logger) => void, level: LogLevel = 'info'): Promise<string[]> {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // A slow reader: closing must wait for it.
      setImmediate(() => {
        chunks.push(chunk.toString());
        done();
      });
    },
  });
  const logger = createLogger({ level, program: 'speaker', stream });
  write(logger);
  await logger.close();
  return chunks.join('').split('\n').filter(Boolean);
}

const record = async (fields: Record<string, unknown>): Promise<Record<string, unknown>> => {
  const [line = '{}'] = await logged((logger) => logger.info('said', fields));
  return JSON.parse(line) as Record<string, unknown>;
};

describe('log (contract.md, workloads)', () => {
  it('is compact JSON, one record a line, level without a blank after the colon', async () => {
    const lines = await logged((logger) => {
      logger.info('one', { a: 1 });
      logger.child({ logger: 'part' }).error('two');
    });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^\{"ts":"[^"]+Z","level":"info","msg":"one","program":"speaker","a":1\}$/);
    expect(lines[1]).toContain('"level":"error","msg":"two","program":"speaker","logger":"part"');
  });

  it.each([
    ['all', 4],
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['none', 0],
  ] as const)('level %s shows %i of debug, info, warn and error', async (level, count) => {
    const lines = await logged((logger) => {
      logger.debug('d');
      logger.info('i');
      logger.warn('w');
      logger.error('e');
    }, level);
    expect(lines).toHaveLength(count);
  });

  it('lets no field take the place of time, level or message', async () => {
    expect(await record({ level: 'debug', msg: 'fake' })).toMatchObject({ level: 'info', msg: 'said' });
  });

  it('removes secrets at any depth, and the payload of Secrets', async () => {
    const fields = {
      password: 'hush',
      peer: { Password: 'hush', name: 'p1', passwordSecret: { name: 'ref' } },
      list: [{ token: 'hush' }],
      secret: {
        kind: 'Secret',
        metadata: { name: 's' },
        data: { any: 'hush' },
        stringData: { other: 'hush' },
      },
      headers: { Authorization: 'Bearer hush' },
    };
    const line = JSON.stringify(await record(fields));
    expect(line).not.toContain('hush');
    expect(line).toContain('"name":"ref"');
    expect(line).toContain('[redacted]');
  });

  it('writes bigint, sets, maps and dates', async () => {
    const fields = { big: 2n ** 64n, set: new Set(['a']), map: new Map([['k', 1]]), date: new Date(0) };
    expect(await record(fields)).toMatchObject({
      big: '18446744073709551616',
      set: ['a'],
      map: { k: 1 },
      date: '1970-01-01T00:00:00.000Z',
    });
  });

  it('spells errors out; a stack only for what is not expected', async () => {
    const cause = new TypeError('deep');
    const expected = await record({ error: new AppError('VTYSH', 'no daemon', { retry: 'soon', cause }) });
    expect(expected['error']).toMatchObject({
      name: 'AppError',
      message: 'no daemon',
      code: 'VTYSH',
      retry: 'soon',
      cause: { name: 'TypeError', message: 'deep' },
    });
    expect(expected['error']).not.toHaveProperty('stack');
    const bug = await record({ error: new BugError('impossible') });
    expect(bug['error']).toHaveProperty('stack');
  });

  it('survives a cycle', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(JSON.stringify(await record({ cycle }))).toContain('[deeper]');
  });
});
