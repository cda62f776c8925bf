/** What a life of a core draws must not be what an earlier one drew: on real hosts it never is. */
import { describe, expect, it } from 'vitest';
import type { Actors } from '../../backends/sim/actors.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { World } from '../../backends/sim/world.ts';
import { LIBRARY } from '../../scenarios/library.ts';
import { runScenario } from '../../scenarios/run.ts';
import type { Scenario } from '../../scenarios/scenario.ts';

/** Keeps the first draw of every life of a control actor. */
class DrawingActors extends EngineActors {
  readonly draws: string[] = [];
  readonly #make: Actors['control'];

  constructor() {
    super();
    this.#make = this.control;
    Object.defineProperty(this, 'control', {
      value: (ground: Parameters<Actors['control']>[0]) => {
        this.draws.push(`${ground.node} ${ground.rng.id52()}`);
        return this.#make(ground);
      },
    });
  }
}

describe('a core that starts', () => {
  it('draws what no life before it drew, also when its disk is empty', () => {
    const scenario = LIBRARY.find(({ name }) => name === 'witness-restarted-empty') as Scenario;
    for (const seed of [1, 2, 3]) {
      const actors = new DrawingActors();
      const result = runScenario(scenario, seed, { timeline: true }, new World(actors));
      const witness = actors.draws.filter((draw) => draw.startsWith('3 '));
      expect(witness.length).toBeGreaterThan(1);
      // Its sessions do begin anew: they alone would repeat the chance.
      const sessions = result.timeline
        .filter(({ kind, node }) => kind === 'core.start' && node === 3)
        .map(({ d }) => d['session']);
      expect(new Set(sessions).size).toBeLessThan(sessions.length);
      expect(new Set(actors.draws).size).toBe(actors.draws.length);
    }
  });
});
