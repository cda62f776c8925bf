import { describe, expect, it } from 'vitest';
import { Decision, Event, Flag } from '../../../engine/data/abi.ts';
import {
  ASYNC_CONFIG,
  asyncSwarm,
  besideLone,
  darkAsOpened,
  darkAtPoints,
  following,
  looked,
  third,
} from '../../support/mirror-async.ts';
import { until, watched, wrong } from '../../support/mirror-cases.ts';
import { uncovered } from '../../support/mirror-cover.ts';
import { header } from '../../support/mirror-errors.ts';
import { type Host, INPUT, LAYOUT, MS } from '../../support/mirror-hosts.ts';
import type { JudgedHosts } from '../../support/mirror-judged.ts';
import { Pair } from '../../support/mirror-pair.ts';
import { orderReturn, superblockOf } from '../../support/mirror-undo.ts';

/** A write comes to `to` on `link`, sent on or not. */
function write(pair: JudgedHosts, to: Host, link: number, sequence: number, flags: number): void {
  const payload = new Uint32Array(8).fill(9);
  const input = { ...INPUT, op: Event.PeerWrite, link, flags, offset: 4096, length: 512, payload };
  pair.give(to, { ...input, header: header(pair.record.epoch, sequence) });
}

/** Whether host `node` closes a link from now on. */
function closes(pair: JudgedHosts, node: number): { readonly closed: boolean } {
  const state = { closed: false };
  const before = pair.onDecision;
  pair.onDecision = (h, op, ...rest) => {
    before?.(h, op, ...rest);
    state.closed ||= h.node === node && op === Decision.LinkClose;
  };
  return state;
}

describe('an asynchronous replica', () => {
  it('shows or can put back the image of its last point, sector for sector, whatever comes', () => {
    const marks = new Set<string>();
    const found = wrong((seed) => {
      const run = asyncSwarm(seed);
      for (const mark of run.marks) marks.add(mark);
      return run;
    }, 20);
    expect(found).toEqual([]);
    for (const mark of ['mirror.point', 'mirror.undo.begun', 'mirror.resync.drains']) {
      expect(marks).toContain(mark);
    }
  });

  it('does so when it loses power at any moment of its becoming a later one', () => {
    expect(wrong(darkAtPoints, 10)).toEqual([]);
    expect(wrong(darkAsOpened, 4)).toEqual([]);
  });

  it('becomes a later image some time after the first write since the last, and not before', () => {
    const { pair, watch } = following(3, [], { ...ASYNC_CONFIG, pointDelay: 200 * MS });
    const { points } = watch;
    const from = pair.now;
    pair.runFor(2_000 * MS);
    expect(watch.points - points).toBeGreaterThan(5);
    expect(watch.points - points).toBeLessThanOrEqual((pair.now - from) / (200 * MS));
  });

  it('stays as it is while nothing is written, and writes nothing', () => {
    const { pair, watch } = following(4);
    pair.settle();
    const { points } = watch;
    let writes = 0;
    pair.onDecision = (h, op) => {
      if (h.node === 2 && (op === Decision.MetaWrite || op === Decision.LocalWrite)) writes += 1;
    };
    pair.runFor(2_000 * MS);
    expect([watch.points, writes]).toEqual([points, 0]);
  });

  it('is one before its log has no room for what comes, whatever the clock says', () => {
    // Room for 96 blocks or so: some tens of writes.
    const small = { ...ASYNC_CONFIG, sideBytes: 128 * 4096, pointDelay: 5_000 * MS };
    for (let seed = 1; seed <= 4; seed += 1) {
      const both = following(seed, [], small);
      const { pair, watch } = both;
      const seen = watched(pair);
      const { points } = watch;
      looked(both, 600 * MS);
      expect(watch.points - points).toBeGreaterThan(3);
      expect(JSON.stringify(seen)).not.toContain('undo.lost');
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('is one before as much is under way as may be: its primary need not let it go', () => {
    const config = { ...ASYNC_CONFIG, lagBytes: 256 * 1024, pointDelay: 60_000 * MS };
    const both = following(6, [], config);
    const { pair, watch } = both;
    until(pair, () => pair.host(1).linkState === 'Connected');
    const seen = watched(pair);
    const { points } = watch;
    looked(both, 600 * MS);
    expect(watch.points - points).toBeGreaterThan(4);
    expect(JSON.stringify(seen)).not.toContain('"reason":"lag"');
    expect(pair.violations).toEqual([]);
  });

  it('goes on beside a primary that is alone and writes more than may be hot at once', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const all = besideLone(seed);
      const { pair, watch } = all;
      for (let n = 0; n < 6; n += 1) {
        const { points } = watch;
        looked(all, 400 * MS);
        expect([seed, n, watch.points > points]).toEqual([seed, n, true]);
      }
      pair.powerOn(2);
      pair.settle();
      expect(pair.violations).toEqual([]);
    }
  });

  it('gives every slot back when its link is lost, written or waiting for a point', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const { pair } = following(seed);
      pair.runFor((seed % 6) * 9 * MS);
      pair.cut();
      pair.runFor(700 * MS);
      expect(pair.host(2).freePeer).toHaveLength(LAYOUT.peerSlots);
    }
  });

  it('is put back to its last image by order, when its primary is gone and not before', () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const both = following(seed);
      const { pair, watch } = both;
      const [, h] = pair.hosts;
      until(pair, () => h.disk === 'Inconsistent');
      const seen = watched(pair);
      orderReturn(pair, h);
      looked(both, 20 * MS);
      expect(JSON.stringify(seen)).toContain('source-is-there');
      until(pair, () => h.disk === 'Inconsistent');
      pair.runFor(20 * MS);
      pair.powerOff(1);
      looked(both, 20 * MS);
      const open = superblockOf(pair.config, h).undo !== 0;
      orderReturn(pair, h);
      looked(both, 60 * MS);
      if (open) expect(JSON.stringify(seen)).toContain('mirror.return.end');
      expect(superblockOf(pair.config, h).undo).toBe(0);
      watch.look();
      const hole = uncovered(pair);
      expect([pair.violations, hole]).toEqual([[], null]);
      pair.powerOn(1);
      pair.settle();
      watch.look();
      expect(pair.violations).toEqual([]);
    }
  });
});

describe('a write that an asynchronous replica cannot have been sent', () => {
  const wrongOnes = [
    ['is not one that is sent on', 0, 1],
    ['leaves a gap', Flag.Detached, 9],
    ['has come before', Flag.Detached, 0],
  ] as const;
  for (const [what, flags, ahead] of wrongOnes) {
    it(`closes the link, and is written nowhere: it ${what}`, () => {
      const both = following(5);
      const { pair, watch } = both;
      const [, h] = pair.hosts;
      const state = closes(pair, 2);
      let written = 0;
      const before = pair.onDecision;
      pair.onDecision = (at, op, slot, offset, ...rest) => {
        before?.(at, op, slot, offset, ...rest);
        const mine = op === Decision.LocalWrite && at === h && h.payload[slot]?.[0] === 9;
        if (mine && offset === 4096) written += 1;
      };
      pair.load(false);
      until(pair, () => h.disk === 'Consistent' && pair.host(1).dirty === 0);
      const last = watch.numbers.at(-1) as number;
      write(pair, h, h.link, last + ahead, flags);
      pair.runFor(5 * MS);
      expect([state.closed, written]).toEqual([true, 0]);
      pair.load(true);
      looked(both, 200 * MS);
      pair.settle();
      watch.look();
      expect(pair.violations).toEqual([]);
    });
  }

  it('is taken by no synchronous replica either', () => {
    const pair = new Pair({ seed: 2 });
    pair.runFor(300 * MS);
    const state = closes(pair, 2);
    const [, h] = pair.hosts;
    write(pair, h, h.link, 1, Flag.Detached);
    pair.runFor(5 * MS);
    expect(state.closed).toBe(true);
    pair.settle();
    expect(pair.violations).toEqual([]);
    const { pair: many } = third(2);
    const cable = many.cables.find(({ ends }) => ends[0].node === 1 && ends[1].node === 2);
    const seen = closes(many, 2);
    write(many, many.host(2), cable?.link ?? 0, 1 << 20, Flag.Detached);
    many.runFor(5 * MS);
    expect(seen.closed).toBe(true);
    many.settle();
    expect(many.violations).toEqual([]);
  });
});
