/** The I/O flight recorder: complete in simulation, a ring in production, and executable again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repeatFlight } from '../../engine/mirror/flight.ts';
import { type FlightReel, FlightRing, SEGMENT_HEAD } from '../../engine/timeline/flight.ts';
import { type Flight, readFlights } from '../../engine/timeline/flight-reader.ts';
import { campaignScenario } from '../../scenarios/campaign.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../scenarios/run.ts';

/** All lives of the data actors of one run of a swarm. */
function recorded(seed: number, canaries: ReadonlySet<string> = new Set()): FlightReel[] {
  const scenario = campaignScenario({ config: DEMO_CONFIG, mode: 'swarm', seed, runs: 1 }, seed);
  const flights: FlightReel[] = [];
  runScenario(scenario, seed, { canaries }, newWorld(flights));
  return flights;
}

function flightOf(reel: FlightReel): Flight {
  const [flight, ...others] = readFlights(reel.recording());
  expect(others).toEqual([]);
  return flight as Flight;
}

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

  it('changes nothing in the run that is recorded', () => {
    const seed = 67;
    const scenario = campaignScenario({ config: DEMO_CONFIG, mode: 'swarm', seed, runs: 1 }, seed);
    const plain = runScenario(scenario, seed);
    const watched = runScenario(scenario, seed, {}, newWorld([]));
    expect(watched.traceHash).toBe(plain.traceHash);
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

  it('shows a changed input or decision, whichever word of it was changed', () => {
    const [reel] = recorded(63);
    const flight = flightOf(reel as FlightReel);
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

  it('is read up to the last whole frame, wherever a crash has torn it', () => {
    const [reel] = recorded(64);
    const whole = (reel as FlightReel).segments[0] as Uint8Array;
    const turns = flightOf(reel as FlightReel).turns.length;
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
    const [reel] = recorded(64);
    const sound = (reel as FlightReel).recording().slice(0, 60_000);
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

describe('a ring of flight segments', () => {
  /** Copies a reel into a ring as a recorder would have written it there. */
  function intoRing(reel: FlightReel, ring: FlightRing): void {
    for (const segment of reel.segments) {
      const view = new DataView(segment.buffer);
      ring.segment(view.getFloat64(16, true)).set(segment);
    }
  }

  it('keeps the newest turns, says where the volume stood, and does not claim to be whole', () => {
    const size = 64 * 1024;
    const reel = smallReel(65, size);
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
    const reel = smallReel(65, size);
    const memory = new Uint8Array((reel.segments.length + 1) * size);
    intoRing(reel, new FlightRing(memory, size));
    const next = new FlightRing(memory, size);
    expect(next.nextSequence).toBe(reel.segments.length);
    next.segment(next.nextSequence);
    expect(readFlights(memory)[0]?.turns.length).toBe(flightOf(reel).turns.length);
  });

  it('is not whole when a segment in its middle is lost', () => {
    const size = 64 * 1024;
    const reel = smallReel(65, size);
    const memory = new Uint8Array(reel.segments.length * size);
    intoRing(reel, new FlightRing(memory, size));
    memory.fill(0, 3 * size, 3 * size + SEGMENT_HEAD);
    const [flight] = readFlights(memory);
    expect(flight?.whole).toBe(false);
  });
});

/** The longest life of a run, written anew into segments of `size` bytes. */
function smallReel(seed: number, size: number): FlightReel {
  const scenario = campaignScenario({ config: DEMO_CONFIG, mode: 'swarm', seed, runs: 1 }, seed);
  const flights: FlightReel[] = [];
  runScenario(scenario, seed, {}, newWorld(flights, 'dev', size));
  return flights.reduce((a, b) => (b.segments.length > a.segments.length ? b : a));
}
