import { describe, expect, it } from 'vitest';
import { type AbiLayout, Decision, PAGE_BYTES } from '../../../engine/data/abi.ts';
import { DataMemory } from '../../../engine/data/memory.ts';
import type { DataReport } from '../../../engine/data/messages.ts';
import { Deadline, Turn } from '../../../engine/mirror/turn.ts';

const LAYOUT: AbiLayout = {
  events: 1,
  decisions: 6,
  frontSlots: 1,
  peerSlots: 1,
  engineSlots: 1,
  slotBytes: 4096,
  inPages: 1,
  outPages: 2,
};

function make(): { turn: Turn; memory: DataMemory; outbox: DataReport[] } {
  const memory = new DataMemory(LAYOUT);
  const outbox: DataReport[] = [];
  return { turn: new Turn(memory, { inbox: [], outbox }, 1, 1, 'r0', () => {}), memory, outbox };
}

describe('a turn', () => {
  it('carries what has no room over to the next one, in order, and asks to be called', () => {
    const { turn, memory } = make();
    const seen: number[] = [];
    turn.begin(10);
    for (let i = 0; i < 9; i += 1) {
      const page = new Uint8Array(PAGE_BYTES).fill(i);
      if (i % 2 === 0) turn.emitPage(Decision.PeerMessage, 1, i, 4, page);
      else turn.emit(Decision.Free, 0, 0, 0, i, 0, 0);
    }
    let count = turn.end();
    for (let turns = 0; turns < 9 && seen.length < 9; turns += 1) {
      const { decisions } = memory;
      for (let d = 0; d < count; d += 1) {
        if (decisions.op(d) === Decision.ArmTimer) expect(decisions.offset(d)).toBe(10);
        else seen.push(decisions.offset(d));
        if (decisions.op(d) !== Decision.PeerMessage) continue;
        const first = memory.outPages[decisions.slot(d) * PAGE_BYTES];
        expect(first).toBe(decisions.offset(d));
      }
      if (seen.length < 9) expect(decisions.op(count - 1)).toBe(Decision.ArmTimer);
      turn.timerFired();
      turn.begin(10);
      count = turn.end();
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('arms the earliest deadline, once', () => {
    const { turn, memory } = make();
    turn.begin(0);
    turn.due(Deadline.Watch, 500);
    turn.due(Deadline.Barrier, 200);
    expect(turn.end()).toBe(1);
    expect(memory.decisions.offset(0)).toBe(200);
    turn.begin(100);
    expect(turn.end()).toBe(0);
    turn.begin(200);
    turn.timerFired();
    expect(turn.takeDue(Deadline.Barrier)).toBe(true);
    expect(turn.takeDue(Deadline.Barrier)).toBe(false);
    expect(turn.takeDue(Deadline.Watch)).toBe(false);
    turn.end();
    expect(memory.decisions.offset(0)).toBe(500);
  });

  it('names each event once, with the cause at hand', () => {
    const { turn, outbox } = make();
    turn.begin(5);
    turn.cause = '9.1.3';
    expect(turn.event('mirror.stopped', { epoch: 1 })).toBe('1.1.r0.1');
    expect(outbox[0]).toMatchObject({
      kind: 'event',
      event: { id: '1.1.r0.1', cause: '9.1.3', t: 5, d: { volume: 'r0', epoch: 1 } },
    });
  });

  it('names no event as the actor of another volume does, nor as another session', () => {
    const ids = new Set<string>();
    let events = 0;
    for (const volume of ['r0', 'r1', 'c', 'world']) {
      for (const session of [1, 2, 11]) {
        const turn = new Turn(
          new DataMemory(LAYOUT),
          { inbox: [], outbox: [] },
          1,
          session,
          volume,
          () => {},
        );
        turn.begin(0);
        for (let n = 0; n < 12; n += 1, events += 1)
          ids.add(turn.event('mirror.demote', { epoch: 1 }));
      }
    }
    expect(ids.size).toBe(events);
  });

  it('refuses a clock that runs backwards', () => {
    const { turn } = make();
    turn.begin(5);
    expect(() => turn.begin(4)).toThrow('never runs backwards');
  });

  it('hands its cause to what waits, and takes back what is handled when that is called', () => {
    const { turn, outbox } = make();
    const causes = () => {
      const said = outbox.splice(0).map((report) => report.kind === 'event' && report.event.cause);
      return said.map((cause) => cause || '');
    };
    const tell = () => {
      turn.event('mirror.point', { sequence: 1 });
    };
    turn.begin(0);
    turn.cause = '1.1.c7';
    const waits = turn.carry(tell);
    turn.begin(1);
    const began = turn.carry(tell);
    waits();
    tell();
    expect(causes()).toEqual(['1.1.c7', '']);
    // What began with nothing is a part of what is handled when its time comes.
    turn.begin(2);
    turn.under('1.1.c9', () => {
      turn.under('1.1.c8', began);
      waits();
      tell();
    });
    expect(causes()).toEqual(['1.1.c8', '1.1.c7', '1.1.c9']);
    expect(turn.cause).toBe('');
  });
});
