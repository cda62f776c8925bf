import { describe, expect, it } from 'vitest';
import { slotCount } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';
import { canarySwitches } from '../../../engine/mirror/canaries.ts';
import { Mode } from '../../../engine/mirror/mode.ts';
import { type Partner, Partners } from '../../../engine/mirror/partner.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';
import { Slots } from '../../../engine/mirror/request.ts';
import { Turn } from '../../../engine/mirror/turn.ts';
import { LAYOUT } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG } from '../../support/mirror-pair.ts';

/** Two partners of node 1, whose links this test sets as it likes. */
function partners(): { all: Partners; two: Partner; three: Partner } {
  const turn = new Turn(new DataMemory(LAYOUT), { inbox: [], outbox: [] }, 1, 1, 'v', () => {});
  const canary = canarySwitches(new Set());
  const slots = new Slots(slotCount(LAYOUT));
  const parts = {
    turn,
    config: PAIR_CONFIG,
    canary,
    slots,
    state: { node: 1 },
  } as unknown as Parts;
  const all = new Partners(parts, [2, 3]);
  return { all, two: all.at(2) as Partner, three: all.at(3) as Partner };
}

describe('partners', () => {
  it('are found by their node and by the link that is theirs now', () => {
    const { all, two, three } = partners();
    two.link.id = 7;
    three.link.id = 8;
    expect([all.on(7), all.on(8), all.on(9)]).toEqual([two, three, null]);
    expect([all.first, all.at(4)]).toEqual([two, null]);
  });

  it('are missed when one that must have every write cannot be sent any', () => {
    const { all, two, three } = partners();
    expect([all.required, all.missed, all.mirrored]).toEqual([false, false, false]);
    two.required = true;
    three.required = true;
    two.link.mode = Mode.Sync;
    expect([all.missed, all.mirrored, all.inStep]).toEqual([true, true, two]);
    three.required = false;
    expect([all.required, all.missed]).toEqual([true, false]);
    all.release();
    expect(all.required).toBe(false);
  });

  it('keep what may differ apart: what is marked or cleared for one is not for the other', () => {
    const { all, two, three } = partners();
    two.map.mark(5);
    three.map.mark(5);
    two.map.clear(5);
    expect([two.map.dirty, three.map.dirty, all.dirty]).toEqual([0, 1, 1]);
  });

  it('have one leader at most: whose writes are taken', () => {
    const { all, three } = partners();
    expect(all.leader).toBe(null);
    three.link.mode = Mode.Target;
    expect(all.leader).toBe(three);
  });
});
