/** The reader of flight recordings, on recordings that something has damaged. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatFlight } from '../../../engine/mirror/flight.ts';
import { readFlights } from '../../../engine/timeline/flight-reader.ts';
import { flightOf, longest, recorded } from '../../support/flights.ts';

describe('a flight recording', () => {
  it('is read up to the last whole frame, wherever a crash has torn it', () => {
    const reel = longest(recorded(64));
    const whole = reel.segments[0] as Uint8Array;
    const turns = flightOf(reel).turns.length;
    let seen = -1;
    for (let cut = 4096; cut < 200_000; cut += 1736) {
      const torn = whole.slice();
      torn.fill(0, cut);
      const [flight] = readFlights(torn);
      const kept = flight?.turns.length ?? 0;
      expect(kept).toBeGreaterThanOrEqual(seen);
      expect(kept).toBeLessThanOrEqual(turns);
      if (flight !== undefined) expect(repeatFlight(flight).divergence).toBeNull();
      seen = kept;
    }
    expect(seen).toBeGreaterThan(10);
  });

  it('never makes its reader fail, whatever stands in it', () => {
    const sound = longest(recorded(64)).recording().slice(0, 60_000);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(59_999), fc.nat(255))), (changes) => {
        const bytes = sound.slice();
        for (const [at, value] of changes) bytes[at] = value;
        for (const flight of readFlights(bytes)) expect(flight.turns.length).toBeLessThan(60_000);
      }),
      { numRuns: 100 },
    );
  });
});
