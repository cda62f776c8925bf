import { describe, expect, it } from 'vitest';
import { Exploration, type Model } from './explorer.ts';

/** Counts up and down between 0 and `top`; a fault leads to a hole that no move leads out of. */
function counter(top: number, bad: number): Model<number> {
  return {
    words: 1,
    faults: new Set(['fall']),
    start: () => 0,
    pack: (state, into) => {
      into[0] = state;
    },
    unpack: (from) => from[0] as number,
    moves: (state, take) => {
      if (state < 0) return;
      if (state < top) take('up', 0, -1, state + 1);
      if (state > 1) take('down', 1, 0, state - 2);
      take('fall', -1, -1, -1);
    },
    violation: (state) => (state === bad ? 'bad' : null),
  };
}

function explore(model: Model<number>, states = 1_000_000): Exploration<number> {
  const exploration = new Exploration(model);
  exploration.run({ states }, 'edges');
  return exploration;
}

describe('an exploration', () => {
  it('meets every reachable state once', () => {
    const exploration = explore(counter(100_000, -2));
    expect(exploration.complete).toBe(true);
    expect(exploration.states).toBe(100_002);
    expect(exploration.finding).toBeNull();
  });

  it('ends at the first state that breaks a law, by the shortest schedule', () => {
    const { finding, complete } = explore(counter(5, 3));
    expect(complete).toBe(false);
    expect(finding).toEqual({ violation: 'bad', schedule: ['up A', 'up A', 'up A'] });
  });

  it('says so when the model has more states than it may', () => {
    const exploration = explore(counter(5_000, -2), 100);
    expect(exploration.complete).toBe(false);
    expect(exploration.finding).toBeNull();
  });

  it('finds the states that reach no goal, and counts on no fault', () => {
    const exploration = explore(counter(5, -2));
    const stuck = (goal: number): number[] =>
      exploration.stuck((state) => state === goal).map((index) => exploration.state(index));
    expect(stuck(0)).toEqual([-1]);
    expect(stuck(-1)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
