import { describe, expect, it } from 'vitest';
import { Decision, Event, PAGE_BYTES } from '../../../engine/data/abi.ts';
import { formatMetadata } from '../../../engine/mirror/metadata.ts';
import { INPUT } from '../../support/mirror-hosts.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

describe('the link', () => {
  it('is taken up again without a new epoch when nothing was lost with it', () => {
    const pair = new Pair({ seed: 2 });
    pair.runFor(300_000);
    for (const h of pair.hosts) pair.isolate(h.node, true);
    pair.cut();
    pair.runFor(5_000);
    pair.heal();
    pair.runFor(60_000);
    expect(pair.record.epoch).toBe(1);
    expect(pair.hosts.map((h) => h.linkState)).toEqual(['Connected', 'Connected']);
    expect(pair.marks.has('mirror.link.resumed')).toBe(true);
  });

  it('is closed on garbage, and nothing else happens', () => {
    const pair = started(3);
    for (let n = 0; n < 6; n += 1) {
      pair.runFor(300_000);
      const to = pair.hosts[n % 2] as (typeof pair.hosts)[0];
      const page = new Uint8Array(PAGE_BYTES).fill(n * 37 + 2);
      const { link } = to;
      pair.give(to, { ...INPUT, op: Event.PeerMessage, link, length: 40 + n, page });
    }
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(pair.marks.has('mirror.link.garbage')).toBe(true);
  });

  it('is given up when the peer owes an answer for too long', () => {
    const pair = started(3);
    pair.runFor(200_000);
    pair.pause(2, 700_000);
    pair.runFor(600_000);
    expect(pair.marks.has('mirror.link.timeout')).toBe(true);
    expect(pair.record.members.map((m) => m.node)).toEqual([1]);
    pair.settle();
    expect(pair.violations).toEqual([]);
  });

  it('is refused, and nothing overwritten, when the peer has unrelated data', () => {
    const pair = new Pair({ seed: 4 });
    for (const { page, bytes } of formatMetadata(PAIR_CONFIG, 2, 4711, 'UpToDate')) {
      pair.hosts[1].meta.set(page, bytes);
    }
    const touched: number[] = [];
    pair.onDecision = (h, op) => {
      if (h.node === 2 && op === Decision.LocalWrite) touched.push(op);
    };
    pair.load(true);
    pair.runFor(2_000_000);
    expect(pair.log.some((line) => line.includes('refused 1 nothing-common'))).toBe(true);
    expect(touched).toEqual([]);
    expect(pair.hosts[0].role).toBe('Primary');
    expect(pair.completed).toBeGreaterThan(100);
  });
});
