import { describe, expect, it } from 'vitest';
import type { Kept } from '../../backends/sim/actors.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { Request } from '../../backends/sim/history.ts';
import type { ReplicaTruth } from '../../backends/sim/oracle/truth.ts';
import { WayBackOracle } from '../../backends/sim/oracle/way-back.ts';
import { Zeroes } from '../../backends/sim/zeroes.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

const BLOCK = 8;

/**
 * A target whose disk failed: it shows a write in sector 0, and its medium has an older one there.
 * The write is one of zeroes, or not; `held` is what the log saved of that block.
 */
function copied(written: 'zeroes' | 'data', held: 'zeroes' | 'shown' | 'media' | 'else'): string[] {
  const ground = new Ground();
  const older = ground.invokeWrite(0);
  const zero = written === 'zeroes';
  const shown = ground.history.invoke(Request.Write, 0, 1, false, 1, 1, zero);
  const other = ground.invokeWrite(0);
  const { metaOught } = ground.replica(1).disk;
  const view = new Int32Array(SECTORS);
  const media = new Int32Array(SECTORS);
  view[0] = shown;
  media[0] = older;
  const saved = new Int32Array(BLOCK);
  saved[0] = { zeroes: 0, shown, media: older, else: other }[held];
  const disk = { view, media, side: { view: saved, media: saved }, metaOught };
  const replica = { node: 1, disk } as unknown as ReplicaTruth;
  const log = { log: 1, generation: 1, point: false, inconsistent: true };
  let kept: Kept = { ...log, runs: [] };
  const actors = Object.assign(new EngineActors(), { kept: () => kept });
  const zeroes = new Zeroes(ground.history, ground.spoils);
  const oracle = new WayBackOracle(ground.truth, actors, ground.verdict, zeroes);
  oracle.look(replica);
  kept = { ...log, runs: [{ block: 0, blocks: 1, page: held === 'zeroes' ? -1 : 0 }] };
  oracle.look(replica);
  return [...new Set(ground.codes)];
}

describe('the way back of a target whose disk failed before', () => {
  // Seed 41 of a swarm with side areas, in which both disks fail in turn.
  it('may be what it showed, zeroes among it, or what its medium had', () => {
    expect(copied('zeroes', 'zeroes')).toEqual([]);
    expect(copied('data', 'shown')).toEqual([]);
    expect(copied('data', 'media')).toEqual([]);
  });

  it('is nothing else, and no zeroes where it showed none', () => {
    expect(copied('data', 'zeroes')).toEqual(['way-back.differs']);
    expect(copied('zeroes', 'else')).toEqual(['way-back.differs']);
  });
});
