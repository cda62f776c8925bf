import { describe, expect, it } from 'vitest';
import type { Reactor, SpillStatus } from '../../backends/real/native.ts';
import { SpillWatch } from '../../backends/real/spill-watch.ts';

describe('what the engine is told of a spill', () => {
  it('is that there is one only while there is, so that no lag is let into memory for it', () => {
    let state: SpillStatus['state'] = 'idle';
    let reason = '';
    const spills = () => [{ node: 2, state, bytes: 0, fileBytes: 1, faults: 0, reason }];
    const watch = new SpillWatch({ spills } as unknown as Reactor);
    const told: string[] = [];
    const look = (next: SpillStatus['state'], why = ''): void => {
      state = next;
      reason = why;
      for (const each of watch.look().commands) {
        if (each.kind === 'spill') told.push(`${each.node} ${each.on} ${each.reason}`);
      }
    };
    look('idle');
    look('making');
    expect(told).toEqual([]);
    look('on');
    look('on');
    // The next link makes one of its own.
    look('making');
    look('on');
    look('off', 'no room');
    look('off', 'no room');
    look('making', 'no room');
    expect(told).toEqual(['2 true ', '2 false ', '2 true ', '2 false no room']);
  });
});
