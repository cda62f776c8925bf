import { describe, expect, it } from 'vitest';
import type { Actors } from '../../backends/sim/actors.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { World } from '../../backends/sim/world.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

/** Scenarios whose replicas keep images: point after point, and after losses of power. */
const NAMES = ['async-wire-cut-for-long', 'async-replica-dark-again-and-again'];

describe('what an oracle reads of a kept image', () => {
  for (const name of NAMES) {
    it(`is what reading everything anew gives: ${name}`, () => {
      const engine = new EngineActors();
      let looks = 0;
      let logs = 0;
      let longest = 0;
      let same = true;
      const kept: NonNullable<Actors['kept']> = (volume, node, meta, changes) => {
        const read = engine.kept(volume, node, meta, changes);
        if ((read?.log ?? 0) > 0) logs += 1;
        longest = Math.max(longest, read?.runs.length ?? 0);
        looks += 1;
        if (looks % 16 !== 0) return read;
        same &&= JSON.stringify(read) === JSON.stringify(engine.kept(volume, node, meta));
        return read;
      };
      const world = new World(Object.assign(new EngineActors(), { kept }));
      const scenario = LIBRARY.find((each) => each.name === name) as Scenario;
      runScenario({ ...scenario, duration: 20_000_000 }, 1, {}, world);
      expect(same).toBe(true);
      expect(logs).toBeGreaterThan(500);
      expect(longest).toBeGreaterThan(20);
    });
  }
});
