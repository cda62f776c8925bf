import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../engine/core/units.ts';
import { Decision, Flag } from '../../../engine/data/abi.ts';
import { until, watched } from '../../support/mirror-cases.ts';
import { BLOCK_SECTORS, written } from '../../support/mirror-errors.ts';
import type { Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';
import {
  blocksOf,
  corrupt,
  different,
  order,
  roomForClients,
  someBlocks,
  verified,
  verifiedUnderLoad,
} from '../../support/mirror-verify.ts';

/** Whether the peer was given something else than it had. */
function differs(pair: Pair, block: number): boolean {
  return pair.host(2).cache[block * BLOCK_SECTORS] === 0xbad;
}

describe('a verification', () => {
  it('finds each block that differs, and no other', () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.integer({ min: 0, max: 40 }),
        fc.boolean(),
        fc.constantFrom('direct' as const, 'digest' as const),
        (seed, count, own, level) => {
          const pair = written(seed);
          const bad = someBlocks(pair, count);
          corrupt(pair, own ? 1 : 2, bad);
          const report = verified(pair, 1, { level });
          expect(report).toMatchObject({
            level,
            state: 'done',
            differing: count,
            unreadable: 0,
            repaired: 0,
          });
          expect(report.checked).toBe(report.blocks);
          expect(blocksOf(report)).toEqual(bad);
          // Told, and left as they are: nobody said which copy is right.
          expect(different(pair)).toEqual(bad);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds nothing in sound replicas, whatever clients write meanwhile', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      expect([seed, ...verifiedUnderLoad(seed).violations]).toEqual([seed]);
    }
  });

  it('by digests asks for no payload, and tells what each of the two has', () => {
    const pair = written(2);
    const bad = [40, 41, 900];
    corrupt(pair, 2, bad);
    let payload = 0;
    pair.onDecision = (h, op, slot) => {
      if (op !== Decision.PeerData) return;
      const asked = h.memory.decisions;
      // The decision at hand is the one that names the slot.
      for (let r = 0; r < asked.capacity; r += 1) {
        if (asked.op(r) === op && asked.slot(r) === slot && asked.flags(r) !== Flag.Digest)
          payload += 1;
      }
    };
    const report = verified(pair, 1, { level: 'digest' });
    expect(payload).toBe(0);
    expect(blocksOf(report)).toEqual(bad);
    expect(report.findings.map(({ block, blocks }) => [block, blocks])).toEqual([
      [40, 2],
      [900, 1],
    ]);
    for (const { right, why, copies } of report.findings) {
      expect([right, why]).toEqual([0, 'no-checksums']);
      expect(copies.map(({ node }) => node)).toEqual([1, 2]);
      const digests = copies.map(({ holds }) => holds);
      expect(new Set(digests).size).toBe(2);
      for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it('that is to repair leaves equal replicas, and a loss of power takes nothing back', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = written(seed);
      const bad = someBlocks(pair, 12);
      corrupt(pair, 2, bad);
      const level = seed % 2 === 0 ? 'direct' : 'digest';
      const report = verified(pair, 1, { level, repair: true });
      expect(report).toMatchObject({ state: 'done', differing: 12, repaired: 12 });
      expect(different(pair)).toEqual([]);
      pair.runFor(2_000);
      expect(pair.hosts[0].dirty).toBe(0);
      pair.powerOff(2);
      expect(different(pair)).toEqual([]);
      pair.powerOn(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('that is to repair under load gives way to clients, who lose nothing', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const pair = started(seed);
      pair.runFor(200_000);
      // Where no client goes: what it writes would heal the block before.
      const bad = [1990, 1991, 2001, 2040];
      corrupt(pair, 2, bad);
      const report = verified(pair, 1, { repair: true });
      expect(report).toMatchObject({ state: 'done', differing: 4, repaired: 4 });
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('waits while the peer is away, and misses nothing of what is left', () => {
    const pair = written(3);
    const bad = someBlocks(pair, 30);
    corrupt(pair, 2, bad);
    const ordered = order(pair, 1, { bytesPerSecond: 40 * 1024 * 1024 });
    pair.runFor(60_000);
    pair.cut();
    pair.runFor(20_000);
    pair.heal();
    pair.runFor(3_000_000);
    const states = ordered.reports.map(({ state }) => state);
    expect(states).toContain('paused');
    expect(ordered.last()?.state).toBe('done');
    // The peer was left out and copied to: of what a resync put right nothing is left to be found.
    const found = blocksOf(ordered.reports.at(-1) as NonNullable<ReturnType<typeof ordered.last>>);
    expect(
      bad.filter((block) => !found.includes(block) && different(pair).includes(block)),
    ).toEqual([]);
  });

  it('goes on where an earlier one stopped', () => {
    const pair = written(4);
    const first = order(pair, 1, { id: 1, bytesPerSecond: 2 * 1024 * 1024 });
    pair.runFor(700_000);
    pair.command(pair.host(1), { kind: 'verify', order: null, cause: '' });
    pair.runFor(50_000);
    const stopped = first.last();
    expect(stopped).toMatchObject({ state: 'stopped', reason: 'order' });
    const from = stopped?.cursor ?? 0;
    expect(from).toBeGreaterThan(50);
    const second = verified(pair, 1, { id: 2, from });
    expect(second).toMatchObject({ state: 'done', checked: second.blocks - from });
  });

  it('takes at most a third of the time while clients are busy, and still comes to its end', () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      const { share, violations } = roomForClients(seed);
      expect([seed, ...violations]).toEqual([seed]);
      expect(share).toBeGreaterThan(0.05);
    }
  });

  it('is no faster than it may be', () => {
    const pair = written(5);
    const rate = 4 * 1024 * 1024;
    const began = pair.now;
    const report = verified(pair, 1, { bytesPerSecond: rate });
    const least = ((report.blocks * BLOCK_BYTES) / rate) * 1e6;
    expect(pair.now - began).toBeGreaterThan(least * 0.9);
    expect(pair.now - began).toBeLessThan(least * 1.3);
  });

  it('that was stopped anywhere tells a block before which nothing is left to look at', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const pair = written(seed);
      const ordered = order(pair, 1);
      pair.runFor(300 + seed * 137);
      pair.command(pair.host(1), { kind: 'verify', order: null, cause: '' });
      until(pair, () => ordered.ended());
      const last = ordered.last();
      expect([seed, last?.cursor]).toEqual([seed, last?.checked]);
    }
  });

  it('ends with the role also where its own disk hangs', () => {
    const pair = written(5);
    const ordered = order(pair, 1, { bytesPerSecond: 1024 * 1024 });
    pair.runFor(100_000);
    pair.host(1).hung = true;
    pair.runFor(14_000_000);
    expect(ordered.last()).toMatchObject({ state: 'stopped', reason: 'not-primary' });
  });

  it('that is to repair asks both again, and lets no misread make a difference', () => {
    const pair = written(6);
    const h = pair.host(1);
    const [block] = someBlocks(pair, 1) as [number];
    const sector = block * BLOCK_SECTORS;
    const right = h.cache[sector] as number;
    // Wrong for the chunk and for the look at the block alone, and right from then on.
    h.cache[sector] = 0xbad;
    const ordered = order(pair, 1, { repair: true });
    until(pair, () => (ordered.last()?.differing ?? 0) > 0 || differs(pair, block));
    h.cache[sector] = right;
    until(pair, () => ordered.ended());
    pair.settle();
    expect(different(pair)).toEqual([]);
    expect(pair.hosts.map(({ dirty }) => dirty)).toEqual([0, 0]);
  });

  it('ends with the role', () => {
    const pair = started(6);
    const ordered = order(pair, 1, { bytesPerSecond: 512 * 1024 });
    pair.runFor(100_000);
    pair.switchOver();
    pair.runFor(500_000);
    expect(ordered.last()).toMatchObject({ state: 'stopped', reason: 'not-primary' });
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('names blocks that a disk does not give, and has the own ones repaired', () => {
    const pair = written(7);
    const seen = watched(pair);
    pair.host(1).unreadable.add(300 * BLOCK_SECTORS);
    pair.host(2).unreadable.add(900 * BLOCK_SECTORS + 3);
    for (const h of pair.hosts) h.unreadable.add(1200 * BLOCK_SECTORS + h.node);
    const report = verified(pair, 1);
    expect(report).toMatchObject({ state: 'done', differing: 0, unreadable: 3 });
    // A disk that does not give its copy leaves no doubt who is right, but where both do not.
    const told = report.findings.map(({ block, right, why, copies }) => {
      return [block, right, why, ...copies.map(({ holds }) => holds === 'unreadable')];
    });
    expect(told).toEqual([
      [300, 2, 'medium-error', true, false],
      [900, 1, 'medium-error', false, true],
      [1200, 0, 'both-lost', true, true],
    ]);
    const who = seen.flatMap(({ report: r }) => {
      if (r.kind !== 'event' || r.event.kind !== 'mirror.verify.unreadable') return [];
      return [[r.event.d['block'], r.event.d['who']]];
    });
    expect(who).toEqual([
      [300, 'own-disk'],
      [900, 'other-disk'],
      [1200, 'both-disks'],
    ]);
    pair.runFor(100_000);
    expect([...pair.host(1).unreadable]).toEqual([1200 * BLOCK_SECTORS + 1]);
  });

  it('looks at nothing where the host does not lead', () => {
    const pair = written(8);
    expect(verified(pair, 2)).toMatchObject({
      state: 'stopped',
      reason: 'not-primary',
      checked: 0,
    });
  });
});
