/** The writer of flight recordings at its limits. */
import { describe, expect, it } from 'vitest';
import { Event } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';
import { type FlightHeader, FlightReel } from '../../../engine/timeline/flight.ts';
import { FlightWriter } from '../../../engine/timeline/flight-writer.ts';
import { flightOf } from '../../support/flights.ts';

const layout = {
  events: 64,
  decisions: 576,
  frontSlots: 8,
  peerSlots: 8,
  engineSlots: 4,
  slotBytes: 4096,
  inPages: 16,
  outPages: 8,
};
const header: FlightHeader = {
  build: 'test',
  volume: 'Bänder 带',
  node: 3,
  boot: 17,
  session: 5,
  layout,
  config: { uuid: 'u' },
  canaries: [],
};

describe('a flight writer', () => {
  it('says in every segment who is recorded, in whatever letters', () => {
    const memory = new DataMemory(layout);
    const reel = new FlightReel(32 * 1024);
    const writer = new FlightWriter(reel, header, memory);
    for (let turn = 0; turn < 600; turn += 1) {
      memory.events.put(0, Event.ReqWrite, 0, 0, 0, turn * 4096, 4096, 0);
      writer.input(1, turn, []);
      memory.decisions.put(0, 9, 0, 0, 0, 0, 0, 0);
      writer.output(1, []);
    }
    expect(reel.segments.length).toBeGreaterThan(3);
    const flight = flightOf(reel);
    expect(flight.header).toEqual(header);
    expect(flight.whole).toBe(true);
    expect(flight.turns.map(({ now }) => now)).toEqual([...Array(600).keys()]);
  });

  it('keeps the input of the turn in which an actor broke', () => {
    const memory = new DataMemory(layout);
    const reel = new FlightReel();
    const writer = new FlightWriter(reel, header, memory);
    writer.input(0, 7, []);
    writer.output(0, []);
    memory.events.put(0, Event.Timer, 0, 0, 0, 0, 0, 0);
    writer.input(1, 8, []);
    const { turns } = flightOf(reel);
    expect(turns.map(({ now, output }) => [now, output !== null])).toEqual([
      [7, true],
      [8, false],
    ]);
  });

  it('leaves out a turn that fits no segment, and does not claim to be whole then', () => {
    const memory = new DataMemory(layout);
    const reel = new FlightReel(64 * 1024);
    const writer = new FlightWriter(reel, header, memory);
    writer.input(0, 1, []);
    writer.output(0, []);
    for (let r = 0; r < 16; r += 1) memory.events.put(r, Event.PeerMessage, r, 1, 0, 0, 4096, 0);
    writer.input(16, 2, []);
    writer.output(0, []);
    writer.input(0, 3, []);
    writer.output(0, []);
    const flight = flightOf(reel);
    expect(flight.whole).toBe(false);
    expect(flight.turns.map(({ now }) => now)).toEqual([1, 3]);
  });
});
