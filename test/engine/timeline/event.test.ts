import { describe, expect, it } from 'vitest';
import { startOf } from '../../../engine/timeline/event.ts';
import { swarm } from '../../support/control-swarm.ts';

describe('the start of a core', () => {
  it('has the id that every part of the core knows it by', () => {
    const { net } = swarm(3);
    const starts = net.events.filter(({ kind }) => kind === 'core.start');
    expect(starts.length).toBeGreaterThan(3);
    for (const { id, node, d } of starts) expect(id).toBe(startOf(node, Number(d['session'])));
  });
});
