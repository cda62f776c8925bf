import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { DiskFlag, decodeSuperblock, metadataLayout } from '../../../engine/mirror/metadata.ts';
import type { Host } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG, type Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

function durable(h: Host): { readonly flags: number; readonly epoch: number } {
  const { slotA, slotB } = metadataLayout(PAIR_CONFIG);
  let best = { seq: -1, flags: 0, epoch: 0 };
  for (const page of [slotA, slotB]) {
    const read = decodeSuperblock(PAIR_CONFIG, h.node, page, h.meta.get(page) as Uint8Array);
    if (read.ok && read.block.seq > best.seq) best = read.block;
  }
  return best;
}

/**
 * A record comes while the target makes durable that it is no image any more. Returns how many
 * writes of the epoch before it takes after that record is durable there.
 */
function overtaken(seed: number, canaries: readonly string[] = []): number {
  const pair = started(seed, canaries);
  pair.cut();
  pair.runFor(600_000);
  let [given, stale] = [0, 0];
  pair.onDecision = (h, op, slot) => {
    if (h.node !== 2 || h.disk !== 'Inconsistent') return;
    if (op === Decision.MetaWrite && given === 0) {
      given = pair.record.epoch + 1;
      const record = { ...pair.record, epoch: given };
      pair.command(h, { kind: 'record', record, cause: 'c' });
    }
    const old = h.memory.headers.epoch(slot) < given;
    if (op === Decision.LocalWrite && old && durable(h).epoch >= given) stale += 1;
  };
  pair.heal();
  pair.runFor(200_000);
  expect(given).toBeGreaterThan(0);
  return stale;
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
      if ((durable(h).flags & DiskFlag.Inconsistent) === 0) worst = 0;
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

  it('takes nothing that was agreed on under a record before the one it has durably', () => {
    for (let seed = 1; seed <= 6; seed += 1) expect([seed, overtaken(seed)]).toEqual([seed, 0]);
    const planted = [1, 2, 3, 4, 5, 6].map((seed) => overtaken(seed, ['agreed-before']));
    expect(Math.max(...planted)).toBeGreaterThan(0);
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
