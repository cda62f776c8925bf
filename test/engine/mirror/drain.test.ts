import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_BY, DRAIN_BLOCKS, Drain, REST, SHUT_MAX } from '../../../engine/mirror/drain.ts';

const S = 1_000_000;
/** Time passes, something is copied, and so much is left; Infinity where nothing may end. */
const step = fc.record({
  wait: fc.oneof(fc.nat(50_000), fc.nat(2 * S), fc.constant(11 * S)),
  copied: fc.oneof(fc.constant(0), fc.nat(64 << 20)),
  left: fc.oneof(fc.nat(2 * DRAIN_BLOCKS), fc.nat(40_000), fc.constant(Number.POSITIVE_INFINITY)),
});

describe('the end of a copy to an asynchronous replica', () => {
  it('keeps writes waiting for a second at most, and lets them through for four after it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const drain = new Drain();
        let now = 0;
        let shutAt = -1;
        let openAt = Number.NEGATIVE_INFINITY;
        for (const { wait, copied, left } of steps) {
          now += wait;
          const shut = drain.shut;
          if (copied > 0) drain.copied(copied, now);
          drain.judge(left, now);
          if (!shut && drain.shut) {
            expect(now - openAt).toBeGreaterThanOrEqual(REST);
            shutAt = now;
          }
          if (shut && !drain.shut) openAt = now;
          // Looked at when it says that it wants to be, it never stands longer.
          if (drain.shut) {
            expect(now - shutAt).toBeLessThan(SHUT_MAX);
            expect(drain.until).toBe(shutAt + SHUT_MAX);
            expect(left).not.toBe(Number.POSITIVE_INFINITY);
          }
        }
      }),
    );
  });

  it('comes at once where little is left, unless writes have waited for it just now', () => {
    const drain = new Drain();
    drain.judge(DRAIN_BLOCKS + 1, 5 * S);
    expect(drain.shut).toBe(false);
    drain.judge(DRAIN_BLOCKS, 5 * S);
    expect(drain.shut).toBe(true);
    drain.judge(DRAIN_BLOCKS, 6 * S - 1);
    expect(drain.shut).toBe(true);
    drain.judge(DRAIN_BLOCKS, 6 * S);
    expect(drain.shut).toBe(false);
    drain.judge(0, 10 * S - 1);
    expect(drain.shut).toBe(false);
    drain.judge(0, 10 * S);
    expect(drain.shut).toBe(true);
  });

  it('does not come again where the wire is too slow for what is left', () => {
    const drain = new Drain();
    drain.judge(DRAIN_BLOCKS, S);
    drain.judge(DRAIN_BLOCKS, S + SHUT_MAX);
    expect(drain.shut).toBe(false);
    // 16 blocks a second.
    for (let now = 10 * S; now < 14 * S; now += S / 4) {
      drain.copied(4 * 4096, now);
      drain.judge(DRAIN_BLOCKS, now);
      expect(drain.shut).toBe(false);
    }
    drain.judge(16, 14 * S);
    expect(drain.shut).toBe(true);
  });

  it('goes by what is sent where something is, for what is left will be', () => {
    const copied = (drain: Drain, sent: number, spared: number) => {
      for (let now = 10 * S; now < 14 * S; now += S / 4) {
        if (sent > 0) drain.copied(sent, now);
        if (spared > 0) drain.copied(spared, now, true);
        drain.judge(Number.MAX_SAFE_INTEGER, now);
      }
    };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 15 }), fc.nat(64 << 20), (blocks, spared) => {
        const drain = new Drain();
        // Once in vain: it goes by the rate from then on.
        drain.judge(DRAIN_BLOCKS, S);
        drain.judge(DRAIN_BLOCKS, S + SHUT_MAX);
        copied(drain, blocks * 4096, spared);
        // Four times so many are sent in a second, however much is equal.
        drain.judge(4 * blocks + 1, 14 * S);
        expect(drain.shut).toBe(false);
        drain.judge(4 * blocks, 14 * S);
        expect(drain.shut).toBe(true);
      }),
    );
    // Nothing is sent: equal pieces are all there is to go by, and the copy can end.
    const drain = new Drain();
    drain.judge(DRAIN_BLOCKS, S);
    drain.judge(DRAIN_BLOCKS, S + SHUT_MAX);
    copied(drain, 0, 16 * 4096);
    drain.judge(DRAIN_BLOCKS, 14 * S);
    expect(drain.shut).toBe(true);
  });

  it('comes sooner or later where as much is written as is copied, near the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: DRAIN_BLOCKS + 1, max: 4000 }), (left) => {
        const drain = new Drain();
        // Copied in a second: twice what is left all the time, or a little more.
        const rate = left * 2 * 4096 + 4096;
        for (let now = S; now <= CLOSE_BY + 5 * S; now += S / 4) {
          drain.copied(rate / 4, now);
          drain.judge(left, now);
          if (drain.shut) return;
        }
        expect('writes never wait').toBe('');
      }),
    );
  });

  it('never comes while it is far away, however long that lasts', () => {
    const drain = new Drain();
    for (let now = 0; now < 120 * S; now += S / 4) {
      drain.copied(1 << 20, now);
      drain.judge(4000, now);
      expect(drain.shut).toBe(false);
    }
  });

  it('is given up at once where a block turns out not to be readable', () => {
    const drain = new Drain();
    drain.judge(3, S);
    drain.judge(Number.POSITIVE_INFINITY, S + 1);
    expect(drain.shut).toBe(false);
    drain.judge(3, S + REST);
    expect(drain.shut).toBe(false);
    drain.judge(3, S + 1 + REST);
    expect(drain.shut).toBe(true);
  });

  it('begins anew with the next copy', () => {
    const drain = new Drain();
    drain.judge(3, S);
    drain.reset();
    expect(drain.shut).toBe(false);
    drain.judge(3, S + 1);
    expect(drain.shut).toBe(true);
  });
});
