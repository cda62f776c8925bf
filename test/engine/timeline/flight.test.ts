/** The ring in which a real host's recorder writes. */
import { describe, expect, it } from 'vitest';
import { FlightRing, SEGMENT_HEAD } from '../../../engine/timeline/flight.ts';
import { readFlights } from '../../../engine/timeline/flight-reader.ts';
import { flightOf, intoRing, longest, recorded } from '../../support/flights.ts';

describe('a ring of flight segments', () => {
  it('keeps the newest turns, says where the volume stood, and does not claim to be whole', () => {
    const size = 64 * 1024;
    const reel = longest(recorded(65, new Set(), size));
    expect(reel.segments.length).toBeGreaterThan(8);
    const memory = new Uint8Array(4 * size);
    intoRing(reel, new FlightRing(memory, size));
    const all = flightOf(reel);
    const [kept] = readFlights(memory);
    expect(kept?.whole).toBe(false);
    expect(kept?.facts.turn).toBeGreaterThan(0);
    expect(kept?.facts.state).toMatchObject({ volume: all.header.volume });
    const first = kept?.facts.turn as number;
    expect(kept?.turns).toEqual(all.turns.slice(first));
  });

  it('goes on behind the recordings of earlier lives, which stay readable', () => {
    const size = 64 * 1024;
    const reel = longest(recorded(65, new Set(), size));
    const memory = new Uint8Array((reel.segments.length + 1) * size);
    intoRing(reel, new FlightRing(memory, size));
    const next = new FlightRing(memory, size);
    expect(next.nextSequence).toBe(reel.segments.length);
    next.segment(next.nextSequence);
    expect(readFlights(memory)[0]?.turns.length).toBe(flightOf(reel).turns.length);
  });

  it('is not whole when a segment in its middle is lost', () => {
    const size = 64 * 1024;
    const reel = longest(recorded(65, new Set(), size));
    const memory = new Uint8Array(reel.segments.length * size);
    intoRing(reel, new FlightRing(memory, size));
    memory.fill(0, 3 * size, 3 * size + SEGMENT_HEAD);
    const [flight] = readFlights(memory);
    expect(flight?.whole).toBe(false);
  });
});
