import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decision, Event, PAGE_BYTES } from '../../../engine/data/abi.ts';
import { encodePeerMessage } from '../../../engine/mirror/messages.ts';
import { formatMetadata } from '../../../engine/mirror/metadata.ts';
import { hearsay } from '../../support/mirror-cases.ts';
import { INPUT } from '../../support/mirror-hosts.ts';
import { plausiblePeerMessage } from '../../support/mirror-messages.ts';
import { PAIR_CONFIG, Pair } from '../../support/mirror-pair.ts';
import { started } from '../../support/mirror-swarm.ts';

describe('the link', () => {
  it('goes through the log when it is back, even if nothing was lost with it', () => {
    const pair = new Pair({ seed: 2 });
    pair.runFor(300_000);
    for (const h of pair.hosts) pair.isolate(h.node, true);
    pair.cut();
    pair.runFor(5_000);
    pair.heal();
    pair.runFor(60_000);
    expect(pair.record.epoch).toBe(1);
    expect(pair.marks.has('mirror.handshake.wait')).toBe(true);
    for (const h of pair.hosts) pair.isolate(h.node, false);
    pair.runFor(500_000);
    expect(pair.record).toMatchObject({ epoch: 3, members: [{ node: 1 }, { node: 2 }] });
    expect(pair.hosts.map((h) => h.linkState)).toEqual(['Connected', 'Connected']);
  });

  it('tells who leads, and never makes this host lead: that is for its own control to say', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      expect([seed, ...hearsay(seed).violations]).toEqual([seed]);
    }
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

  it('stops no core, whatever well-formed message comes at whatever time', () => {
    const step = fc.record({
      message: plausiblePeerMessage,
      to: fc.nat(1),
      wait: fc.nat(30_000),
      fault: fc.nat(9),
      ack: fc.option(
        fc.record({
          slot: fc.integer({ min: -2, max: 60 }),
          sequence: fc.nat(900),
          status: fc.nat(2),
        }),
      ),
    });
    fc.assert(
      fc.property(fc.nat(1000), fc.array(step, { minLength: 1, maxLength: 12 }), (seed, steps) => {
        const pair = started(seed);
        for (const { message, to, wait, fault, ack } of steps) {
          pair.runFor(wait);
          if (fault === 0) pair.cut();
          if (fault === 1) pair.heal();
          const h = to === 0 ? pair.hosts[0] : pair.hosts[1];
          const { link } = h;
          if (ack) {
            const { slot, sequence: offset, status } = ack;
            pair.give(h, { ...INPUT, op: Event.PeerAck, link, slot, offset, status });
          }
          const page = new Uint8Array(PAGE_BYTES);
          const length = encodePeerMessage(message, '', page);
          pair.give(h, { ...INPUT, op: Event.PeerMessage, link, length, page });
        }
        pair.runFor(200_000);
        expect(pair.violations.filter((text) => text.includes('stopped'))).toEqual([]);
      }),
      { numRuns: 60 },
    );
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
