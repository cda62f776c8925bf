/** A failover of real processes, read from all hosts' journals as one timeline. */
import { afterEach, describe, expect, it } from 'vitest';
import { hasNative } from '../../backends/real/native.ts';
import { signal } from '../../backends/real/process-identity.ts';
import { findJournals, mergeSources } from '../../cli/journals.ts';
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import { sleep, waitFor } from './support/hosts.ts';
import { TestCluster } from './support/test-cluster.ts';

const open: TestCluster[] = [];

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close();
});

describe('the journals of a real cluster', () => {
  it('explain a failover back to the silence, and say who saw the core die', async (context) => {
    if (!hasNative()) context.skip('the native addon is not built (npm run build:native)');
    const cluster = await TestCluster.make({ size: '1MiB' });
    open.push(cluster);
    for (const name of ['a', 'b', 'w']) cluster.start(name);
    const first = await cluster.waitHealthy();
    for (const found of await cluster.processes(first)) signal(found, 'SIGKILL');
    let second = first;
    await waitFor(
      'a take-over',
      async () => {
        second = (await cluster.serving()) ?? first;
        return second !== first;
      },
      60_000,
    );
    // A killed core loses what it has not written yet: up to a fifth of a second.
    await sleep(500);
    const status = await cluster.status(second);
    signal(status!.processes.core, 'SIGKILL');
    const monitorSaw = () => merged().some(({ kind }) => kind === 'host.core-ended');
    const merged = (): readonly TimelineEvent[] => {
      return mergeSources(findJournals([cluster.configPath])).events.map(({ event }) => event);
    };
    await waitFor('the monitor to say that the core ended', monitorSaw, 20_000);
    await sleep(500);

    const { header, events } = mergeSources(findJournals([cluster.configPath]));
    expect(header.merge?.missing).toEqual([]);
    expect(header.merge?.journals.length).toBe(6);
    expect(header.merge).toMatchObject({ duplicates: 0, renamed: 0, disordered: 0 });
    const order = events.map(({ event }) => event);
    const place = new Map(order.map(({ id }, at) => [id, at]));
    expect(place.size).toBe(order.length);
    for (const [at, { cause, reads }] of order.entries()) {
      for (const id of [cause ?? '', ...(reads ?? [])])
        expect(place.get(id) ?? -1).toBeLessThan(at);
    }
    for (const { kind, d } of order) {
      if (kind.startsWith('mirror.')) expect(d['volume']).toBe('data');
    }
    const walk: TimelineEvent[] = [];
    let step = order.findLast(({ kind }) => kind === 'group.takeover');
    while (step !== undefined) {
      walk.push(step);
      step = order[place.get(step.cause ?? '') ?? -1];
    }
    expect(walk.map(({ kind }) => kind).slice(-2)).toEqual(['peer.suspect', 'link.down']);
    expect(walk.at(-1)?.d).toMatchObject({ peer: cluster.id(first), reason: 'silence' });
    const ended = order.find(({ kind }) => kind === 'host.core-ended');
    expect(ended?.node).toBe(cluster.id(second));
    expect(ended?.d).toEqual({ exit: 'none', signal: 'SIGKILL' });
  }, 150_000);
});
