import { describe, expect, it } from 'vitest';
import { QuiescedOracle } from '../../backends/sim/oracle/quiesced.ts';
import { RegisterOracle } from '../../backends/sim/oracle/register.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

/** Both replicas have one acknowledged write, on their media. */
function written() {
  const ground = new Ground();
  const { pool, history, truth, verdict } = ground;
  const register = new RegisterOracle('r', pool, SECTORS, history, truth.flushed, verdict);
  let acked = 0;
  const oracle = new QuiescedOracle(truth, register, verdict, () => acked);
  const write = (durable: readonly number[]): number => {
    const op = ground.invokeWrite(3);
    register.invoked(op);
    for (const node of [1, 2]) ground.put(node, op, durable.includes(node));
    history.complete(op);
    register.written(op);
    acked = history.completed[op] as number;
    return op;
  };
  write([1, 2]);
  return { ground, oracle, write };
}

describe('LAW-quiesced', () => {
  it('holds where nothing happens until the point is let go', () => {
    const { ground, oracle } = written();
    oracle.begin(1, [1, 2]);
    oracle.look(1);
    oracle.stood(1, 1);
    expect([oracle.confirmed, ground.codes]).toEqual([1, []]);
  });

  it('is broken by a point without what only a cache has', () => {
    const { ground, oracle, write } = written();
    write([]);
    oracle.begin(1, [1, 2]);
    oracle.look(1);
    oracle.stood(1, 1);
    expect(ground.codes).toEqual(['quiesced.incomplete']);
  });

  it('is broken by two images of one point, and not where only one was named', () => {
    for (const nodes of [[1, 2], [1]]) {
      const { ground, oracle } = written();
      const op = ground.invokeWrite(9);
      ground.put(1, op, true);
      oracle.begin(1, nodes);
      oracle.stood(1, 1);
      expect(ground.codes).toEqual(nodes.length === 2 ? ['quiesced.not-equal'] : []);
    }
  });

  it('is broken by what is acknowledged, or changes, before the point is let go', () => {
    const late = written();
    late.oracle.begin(1, [1]);
    late.write([]);
    late.oracle.look(1);
    late.oracle.stood(1, 1);
    expect(late.ground.codes).toEqual(['quiesced.acknowledged']);
    const changed = written();
    changed.oracle.begin(1, [1, 2]);
    changed.ground.put(2, changed.ground.invokeWrite(20), true);
    changed.oracle.look(1);
    changed.oracle.stood(1, 1);
    expect(changed.ground.codes).toEqual(['quiesced.changed']);
  });

  it('promises nothing of a point of which nobody was told that it stood', () => {
    const { ground, oracle, write } = written();
    oracle.begin(1, [1, 2]);
    write([1, 2]);
    oracle.look(1);
    oracle.begin(2, [1, 2]);
    oracle.stood(1, 1);
    oracle.look(2);
    write([1, 2]);
    oracle.stood(2, 1);
    expect([oracle.begun, oracle.confirmed, ground.codes]).toEqual([2, 1, []]);
  });
});
