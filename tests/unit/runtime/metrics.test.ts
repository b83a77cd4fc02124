import { describe, expect, it } from 'vitest';
import { createMetrics } from '#runtime/metrics/registry.ts';

describe('metrics registry', () => {
  it('counts, and takes absolute values for counters read elsewhere', async () => {
    const metrics = createMetrics();
    const counter = metrics.counter({ name: 'c_total', help: 'c', labels: ['peer'] });
    counter.inc({ peer: 'a' });
    counter.inc({ peer: 'a' }, 2);
    counter.set({ peer: 'b' }, 7);
    counter.set({ peer: 'b' }, 5);
    counter.set({ peer: 'zero' }, 0);
    const text = await metrics.expose();
    expect(text).toContain('c_total{peer="a"} 3');
    expect(text).toContain('c_total{peer="b"} 5');
    expect(text).toContain('c_total{peer="zero"} 0');
    counter.remove({ peer: 'b' });
    expect(await metrics.expose()).not.toContain('peer="b"');
  });

  it('drops all series of a gauge by reset', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge({ name: 'g', help: 'g', labels: ['pool'] });
    gauge.set({ pool: 'a' }, 1);
    gauge.reset();
    gauge.set({ pool: 'b' }, 2);
    const text = await metrics.expose();
    expect(text).not.toContain('pool="a"');
    expect(text).toContain('g{pool="b"} 2');
  });

  it('gives the same metric for the same name', async () => {
    const metrics = createMetrics();
    const spec = { name: 'same_total', help: 's' };
    metrics.counter(spec).inc();
    metrics.counter(spec).inc();
    expect(await metrics.expose()).toContain('same_total 2');
  });

  it('updates derived gauges at each scrape, and observes histograms', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge({ name: 'derived', help: 'd' });
    let value = 1;
    metrics.onCollect(() => gauge.set({}, value));
    metrics.histogram({ name: 'h', help: 'h', buckets: [1, 2] }).observe({}, 1.5);
    expect(await metrics.expose()).toContain('derived 1');
    value = 2;
    const text = await metrics.expose();
    expect(text).toContain('derived 2');
    expect(text).toContain('h_bucket{le="2"} 1');
  });

  it('has the process metrics when asked', async () => {
    expect(await createMetrics({ processMetrics: true }).expose()).toContain('nodejs_eventloop_lag_seconds');
  });
});
