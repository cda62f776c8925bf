import { describe, expect, it } from 'vitest';
import { Decision } from '../../../engine/data/abi.ts';
import { until } from '../../support/mirror-cases.ts';
import { written } from '../../support/mirror-errors.ts';
import { PAIR_CONFIG, type Pair } from '../../support/mirror-pair.ts';
import { blinked, started } from '../../support/mirror-swarm.ts';
import { corrupt, order, quickThroughFaults, verified } from '../../support/mirror-verify.ts';

const MS = 1000;

/** What a quick comparison at host 1 finds. */
function quick(pair: Pair): ReturnType<typeof verified> {
  return verified(pair, 1, { id: 77, level: 'quick' });
}

describe('a quick comparison', () => {
  it('finds nothing in sound replicas, and reads no data', () => {
    const pair = written(1);
    let reads = 0;
    pair.onDecision = (_, op) => {
      if (op === Decision.LocalRead || op === Decision.PeerRead) reads += 1;
    };
    const began = pair.now;
    expect(quick(pair)).toMatchObject({ state: 'done', level: 'quick', disagreements: [] });
    expect(reads).toBe(0);
    expect(pair.now - began).toBeLessThan(2_000 * MS);
  });

  it('disagrees on nothing whatever befalls sound replicas', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      expect([seed, ...quickThroughFaults(seed).violations]).toEqual([seed]);
    }
  });

  it('sees that one has dirty what the other takes for clean, and names the blocks', () => {
    let seen = 0;
    for (let seed = 1; seed <= 12; seed += 1) {
      // Replicas that are taken for equal although a map says that they are not.
      const pair = blinked(seed, ['RULE-03']);
      if (!until(pair, () => pair.host(pair.record.primary).linkState === 'Connected')) continue;
      const node = pair.record.primary;
      if (pair.hosts.every(({ dirty }) => dirty === 0)) continue;
      const { disagreements, findings } = verified(pair, node, { id: 77, level: 'quick' });
      const map = disagreements.find(({ what }) => what === 'map');
      if (map === undefined) continue;
      seen += 1;
      const told = new Map(map.says.map((each) => [each.node, each.value]));
      for (const h of pair.hosts) expect(Number(told.get(h.node))).toBe(h.dirty);
      const named = findings.reduce((sum, { blocks }) => sum + blocks, 0);
      expect(named).toBeGreaterThan(0);
      for (const { what, right, why } of findings) {
        expect(what).toBe('dirty');
        expect([right, why]).toEqual(right === node ? [node, 'dirty'] : [0, 'other-dirty']);
      }
    }
    expect(seen).toBeGreaterThan(0);
  });

  it('does not see what only data tell', () => {
    const pair = written(3);
    corrupt(pair, 2, [100]);
    expect(quick(pair).disagreements).toEqual([]);
    expect(verified(pair, 1, { id: 78, level: 'digest' }).differing).toBe(1);
  });

  it('waits while the peer is away', () => {
    const pair = started(4);
    pair.runFor(100 * MS);
    pair.load(false);
    pair.runFor(500 * MS);
    pair.cut();
    pair.runFor(20 * MS);
    const ordered = order(pair, 1, { level: 'quick' });
    pair.runFor(100 * MS);
    expect(ordered.last()).toMatchObject({ state: 'paused' });
    pair.heal();
    expect(until(pair, () => ordered.ended(), 10_000 * MS)).toBe(true);
    expect(ordered.last()).toMatchObject({ state: 'done', disagreements: [] });
  });

  it('does not keep a peer alive whose disk hangs while it is admitted', () => {
    const pair = started(5, [], { ...PAIR_CONFIG, peerTimeout: 2_000_000 });
    pair.runFor(300_000);
    pair.powerOff(2);
    until(pair, () => pair.record.members.length === 1, 20_000_000);
    pair.runFor(1_200_000);
    pair.powerOn(2);
    if (!until(pair, () => pair.record.members.length === 2, 30_000_000)) throw new Error('alone');
    const other = pair.hosts[1];
    pair.onDecision = (h, op) => {
      if (h === other && op === Decision.MetaWrite) other.hung = true;
    };
    if (!until(pair, () => other.hung, 1_000_000)) throw new Error('nothing is written');
    pair.onDecision = null;
    order(pair, 1, { id: 9, level: 'quick' });
    pair.runFor(1_000_000);
    const done = pair.completedBy(1);
    pair.runFor(40_000_000);
    expect(pair.completedBy(1)).toBeGreaterThan(done + 1_000);
  });
});
