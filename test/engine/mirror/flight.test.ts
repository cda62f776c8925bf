/** A data actor is a function of its recorded inputs: what was recorded can be executed again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decision, Event } from '../../../engine/data/abi.ts';
import type { Mailboxes } from '../../../engine/data/messages.ts';
import { repeatFlight } from '../../../engine/mirror/flight.ts';
import type { Flight } from '../../../engine/timeline/flight-reader.ts';
import {
  flightOf,
  longest,
  recorded,
  recordedComparisons,
  recordedScenario,
  SUMMED,
  traceHash,
} from '../../support/flights.ts';

describe('a flight recording', () => {
  it('lets every life of every data actor be executed again, decision by decision', () => {
    let turns = 0;
    let lives = 0;
    for (let seed = 61; seed <= 66; seed += 1) {
      for (const reel of recorded(seed)) {
        const flight = flightOf(reel);
        expect(flight.whole).toBe(true);
        const repeated = repeatFlight(flight);
        expect({ seed, ...repeated }).toMatchObject({ seed, divergence: null });
        turns += repeated.turns;
        lives += 1;
      }
    }
    expect(turns).toBeGreaterThan(20_000);
    expect(lives).toBeGreaterThan(12);
  });

  it('has what passes between hosts when a disk cannot read', () => {
    const ops = new Set<number>();
    for (const reel of recordedScenario('bad-sectors-under-load', 1)) {
      const flight = flightOf(reel);
      for (const { events, output } of flight.turns) {
        for (let at = 0; at < events.length; at += 8) ops.add(events[at] as number);
        const decisions = output?.decisions ?? [];
        for (let at = 0; at < decisions.length; at += 8) ops.add(-(decisions[at] as number));
      }
      expect(repeatFlight(flight)).toMatchObject({ divergence: null });
    }
    for (const op of [Event.PeerRead, Event.PeerData]) expect(ops).toContain(op);
    for (const op of [Decision.PeerRead, Decision.PeerData]) expect(ops).toContain(-op);
  });

  it('has the digests that a comparison tells of', () => {
    let told = 0;
    for (let seed = 70_000; seed < 70_016; seed += 1) {
      for (const reel of recordedComparisons(seed)) {
        const flight = flightOf(reel);
        const seen = (_: unknown, __: unknown, { outbox }: Mailboxes): void => {
          for (const report of outbox) {
            if (report.kind !== 'verify') continue;
            told += report.findings.filter(({ copies }) => copies[1]?.holds !== '').length;
          }
        };
        expect([seed, repeatFlight(flight, seen).divergence]).toEqual([seed, null]);
      }
    }
    expect(told).toBeGreaterThan(0);
  });

  it('has the checksums of what is read and written, where a volume keeps them', () => {
    let told = 0;
    for (let seed = 70_003; seed < 70_006; seed += 1) {
      for (const reel of recordedComparisons(seed, SUMMED)) {
        const flight = flightOf(reel);
        for (const { sums } of flight.turns) told += sums.length;
        expect([seed, repeatFlight(flight).divergence]).toEqual([seed, null]);
      }
    }
    expect(told).toBeGreaterThan(1000);
  });

  it('changes nothing in the run that is recorded', () => {
    expect(traceHash(67, [])).toBe(traceHash(67, null));
  });

  it('shows the turn from which an actor with another rule goes another way', () => {
    const diverged = recorded(62, new Set(['RULE-04']))
      .map(flightOf)
      .map((flight) => ({ ...flight, header: { ...flight.header, canaries: [] } }))
      .map((flight) => repeatFlight(flight).divergence)
      .filter((divergence) => divergence !== null);
    expect(diverged.length).toBeGreaterThan(0);
    expect(diverged[0]?.what).toMatch(/decisions|pages/);
  });

  it('shows a changed decision, whichever bit of it was changed', () => {
    const flight = flightOf(longest(recorded(63)));
    const last = Math.min(flight.turns.length, 400);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: last - 2 }), fc.nat(), fc.nat(), (at, word, bit) => {
        const turn = flight.turns[at] as Flight['turns'][number];
        const { output } = turn;
        if (output === null || output.decisions.length === 0) return;
        const decisions = Int32Array.from(output.decisions);
        const index = word % decisions.length;
        decisions[index] = (decisions[index] as number) ^ (1 << (bit & 31));
        const turns = flight.turns.slice(0, at + 1);
        turns[at] = { ...turn, output: { ...output, decisions } };
        const { divergence } = repeatFlight({ ...flight, turns });
        expect(divergence).toEqual({ turn: at, now: turn.now, what: 'decisions' });
      }),
      { numRuns: 40 },
    );
  });

  it('shows a lost turn', () => {
    const flight = flightOf(longest(recorded(63)));
    const turns = flight.turns.filter((_, index) => index !== 40);
    expect(repeatFlight({ ...flight, turns }).divergence?.turn).toBeGreaterThanOrEqual(40);
  });
});
