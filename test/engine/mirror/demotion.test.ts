import { describe, expect, it } from 'vitest';
import { Demotion } from '../../../engine/mirror/demotion.ts';
import type { Parts } from '../../../engine/mirror/parts.ts';

function setup() {
  const log: string[] = [];
  const waits: (() => void)[] = [];
  const writes = { open: 1, refuseWaiting: () => log.push('refuses') };
  const state = { lead: true, demoting: false, demoted: false, fencing: false };
  const turn = {
    cause: '',
    event: (kind: string) => {
      log.push(`${kind} <- ${turn.cause}`);
      return kind;
    },
    report: ({ kind, cause }: { kind: string; cause: string }) => {
      log.push(`${kind} by ${cause}`);
    },
    carry: (done: () => void) => {
      const { cause } = turn;
      return () => {
        turn.cause = cause;
        done();
      };
    },
  };
  const parts = {
    state,
    turn,
    writes,
    config: { volume: 'v' },
    proxy: { over: () => log.push('no proxy') },
    verify: { chunk: { whenIdle: (done: () => void) => done() } },
    flushes: {
      leaveNothing: (still: (next: () => void) => () => void, done: () => void) => {
        waits.push(still(done));
      },
    },
  };
  return { log, waits, writes, state, turn, demotion: new Demotion(parts as unknown as Parts) };
}

describe('a demotion', () => {
  it('ends what is in flight, leaves nothing behind, and says then that it has stopped', () => {
    const { log, waits, writes, state, turn, demotion } = setup();
    turn.cause = '1.1.c9';
    demotion.begin(4);
    expect([state.demoting, state.lead]).toEqual([true, true]);
    expect(log).toEqual(['mirror.demote <- 1.1.c9', 'refuses']);
    turn.cause = '';
    writes.open = 0;
    demotion.drained();
    demotion.drained();
    expect(waits.length).toBe(1);
    waits[0]?.();
    expect(state).toEqual({ lead: false, demoting: false, demoted: true, fencing: false });
    expect(log.slice(2)).toEqual([
      'no proxy',
      'mirror.stopped <- mirror.demote',
      'stopped by mirror.stopped',
    ]);
  });

  it('is over with the record that comes meanwhile', () => {
    const { log, waits, writes, state, demotion } = setup();
    writes.open = 0;
    demotion.begin(4);
    expect(demotion.end()).toBe(true);
    expect(demotion.end()).toBe(false);
    waits[0]?.();
    expect([state.lead, state.demoting]).toEqual([true, false]);
    expect(log).not.toContain('mirror.stopped <- mirror.demote');
  });
});
