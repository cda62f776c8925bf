import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { DiskFlag, decodeSuperblock, metadataLayout } from '../../../engine/mirror/metadata.ts';
import type { Host } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG, type Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

function durableFlags(h: Host): number {
  const { slotA, slotB } = metadataLayout(PAIR_CONFIG);
  let best = { seq: -1, flags: 0 };
  for (const page of [slotA, slotB]) {
    const read = decodeSuperblock(PAIR_CONFIG, h.node, page, h.meta.get(page) as Uint8Array);
    if (read.ok && read.block.seq > best.seq) best = read.block;
  }
  return best.flags;
}

function interrupted(seed: number): Pair {
  const pair = started(seed);
  pair.cut();
  pair.runFor(600_000);
  pair.heal();
  const limit = pair.now + 300_000;
  while (pair.now < limit && pair.hosts[1].linkState !== 'SyncTarget') pair.runFor(200);
  expect(pair.hosts[1].linkState).toBe('SyncTarget');
  return pair;
}

describe('the target of a resync', () => {
  it('is durably Inconsistent before the first overwrite (RULE-10)', () => {
    const pair = started(2);
    let worst = 1;
    let writes = 0;
    pair.onDecision = (h, op) => {
      if (h.node !== 2 || op !== Decision.LocalWrite || h.linkState !== 'SyncTarget') return;
      if (h.disk !== 'Inconsistent') return;
      writes += 1;
      if ((durableFlags(h) & DiskFlag.Inconsistent) === 0) worst = 0;
    };
    pair.cut();
    pair.runFor(600_000);
    pair.heal();
    pair.runFor(400_000);
    expect(writes).toBeGreaterThan(10);
    expect(worst).toBe(1);
  });

  it('serves nobody when its source dies half way, and waits for it', () => {
    const pair = interrupted(3);
    pair.runFor(5_000);
    pair.powerOff(1);
    pair.runFor(1_000_000);
    expect(pair.hosts[1].role).toBe('Secondary');
    expect(pair.hosts[1].disk).toBe('Inconsistent');
    pair.powerOn(1);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('takes the copy up again after its own power loss', () => {
    const pair = interrupted(4);
    pair.runFor(8_000);
    pair.powerOff(2);
    pair.runFor(100_000);
    pair.powerOn(2);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });
});
