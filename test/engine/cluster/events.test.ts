import { describe, expect, it } from 'vitest';
import { CLUSTER_EVENTS, CLUSTER_MARKS } from '../../../engine/cluster/events.ts';
import { swarm } from '../../support/control-swarm.ts';

describe('the timeline of the cluster engine', () => {
  it('has only kinds and parameters that the list names, and causes that were written', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { net } = swarm(seed);
      const ids = new Set(net.events.map((event) => event.id));
      for (const event of net.events) {
        const names = (CLUSTER_EVENTS as { readonly [kind: string]: readonly string[] })[
          event.kind
        ];
        expect(Object.keys(event.d).sort()).toEqual([...(names ?? [])].sort());
        for (const id of [event.cause, ...(event.reads ?? [])]) {
          if (id !== undefined) expect(ids.has(id)).toBe(true);
        }
      }
    }
  });

  it('never gives one id to two events, through restarts of the core', () => {
    for (let seed = 41; seed <= 60; seed++) {
      const { net } = swarm(seed, { blank: false });
      expect(new Set(net.events.map((event) => event.id)).size).toBe(net.events.length);
    }
  });

  it('names every mark that is reached', () => {
    const known: readonly string[] = CLUSTER_MARKS;
    for (let seed = 1; seed <= 40; seed++) {
      for (const mark of swarm(seed).net.marks.keys()) expect(known).toContain(mark);
    }
  });
});
