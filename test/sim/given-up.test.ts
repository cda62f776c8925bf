import { describe, expect, it } from 'vitest';
import type { Actors } from '../../backends/sim/actors.ts';
import { VolumeOracles } from '../../backends/sim/oracle/oracles.ts';
import { Ground } from './oracle-ground.ts';

const BLIND = { suspicion: () => ({ readable: true, covers: () => false, updates: 1 }) };

describe('LAW-acknowledged', () => {
  it('asks that what is given up is all on another one, stable, and counts it no more', () => {
    const given = (stable: boolean, members: readonly number[]): readonly string[] => {
      const ground = new Ground();
      for (const replica of ground.truth.replicas) replica.record = ground.record(2, 1);
      ground.truth.record = ground.record(2, 1);
      const { truth, pool, verdict } = ground;
      const oracles = new VolumeOracles(truth, 'g', pool, BLIND as unknown as Actors, verdict);
      const op = ground.invokeWrite(4);
      ground.put(2, op, true);
      ground.put(1, op, stable);
      ground.history.complete(op);
      ground.truth.record = ground.record(3, 1, members);
      oracles.givenUp(ground.replica(2));
      expect(ground.replica(2).heldUntil).toBe(0);
      return ground.codes;
    };
    expect(given(true, [1])).toEqual([]);
    expect(given(false, [1])).toEqual(['acknowledged.lost-while-held']);
    expect(given(true, [1, 2])).toEqual(['acknowledged.member-given-up']);
    expect(given(true, [])).toEqual(['acknowledged.last-given-up']);
  });
});
