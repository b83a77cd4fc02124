/** What counts as drift, and what is the API server's or somebody else's addition. */
import { describe, expect, it } from 'vitest';
import { deviation } from '#operator/drift.ts';

const desired = {
  metadata: { name: 'speaker', labels: { app: 'metallb' } },
  spec: {
    containers: [{ name: 'speaker', image: 'a', args: ['--port=1'], env: [{ name: 'A', value: '1' }] }],
    tolerations: [{ key: 'x' }],
  },
};

describe('deviation', () => {
  it('none when the object has more than we rendered', () => {
    const live = {
      metadata: { name: 'speaker', uid: '1', labels: { app: 'metallb', foreign: 'yes' } },
      spec: {
        containers: [
          { name: 'injected', image: 'mesh' },
          {
            name: 'speaker',
            image: 'a',
            args: ['--port=1'],
            env: [{ name: 'B' }, { name: 'A', value: '1' }],
            terminationMessagePath: '/dev/termination-log',
          },
        ],
        tolerations: [{ key: 'x', operator: '' }],
      },
    };
    expect(deviation(desired, live)).toBeUndefined();
  });

  const container = desired.spec.containers[0];
  const spec = (change: object) => ({ ...desired, spec: { ...desired.spec, ...change } });

  it.each([
    ['a changed image', spec({ containers: [{ ...container, image: 'b' }] }), 'containers[0].image'],
    ['an added argument', spec({ containers: [{ ...container, args: ['--port=1', '-v'] }] }), 'args'],
    ['a removed container', spec({ containers: [] }), 'spec.containers[0]'],
    ['a foreign toleration', spec({ tolerations: [{ key: 'x' }, { key: 'y' }] }), 'spec.tolerations'],
    ['a missing label', { ...desired, metadata: { name: 'speaker', labels: {} } }, 'metadata.labels.app'],
  ])('%s', (_, live, path) => {
    expect(deviation(desired, live)).toContain(path);
  });

  it('treats what the API server drops as absent', () => {
    expect(
      deviation({ priority: null, users: [], flag: false, apiGroups: [''] }, { apiGroups: [''] }),
    ).toBeUndefined();
    expect(deviation({ apiGroups: [''] }, { apiGroups: ['apps'] })).toBe('apiGroups[0]');
  });
});
