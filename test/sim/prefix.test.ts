import { describe, expect, it } from 'vitest';
import type { Kept } from '../../backends/sim/actors.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { PrefixOracle } from '../../backends/sim/oracle/prefix.ts';
import { Orphan, type ReplicaTruth } from '../../backends/sim/oracle/truth.ts';
import { ZeroMarks } from '../../backends/sim/zero-marks.ts';
import { Zeroes } from '../../backends/sim/zeroes.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

const BLOCK = 8;
const IMAGE: Kept = {
  log: 0,
  inconsistent: false,
  point: true,
  given: false,
  generation: 1,
  runs: [],
};

/** Three writes in a row, to sectors 0, 8 and 0 again; a replica that has what `shows` says. */
function shown(
  shows: (first: number, second: number, third: number) => readonly [number, number],
  kept: Kept = IMAGE,
  saved: (first: number) => number = () => 0,
  ill: (ground: Ground, marks: ZeroMarks, first: number) => void = () => {},
): { codes: string[]; looks: number } {
  const ground = new Ground();
  const write = (sector: number): number => {
    const op = ground.invokeWrite(sector);
    ground.history.complete(op);
    return op;
  };
  const [first, second, third] = [write(0), write(BLOCK), write(0)] as const;
  const { config } = ground.truth;
  const replicas = [{ node: 1, path: '', meta: '', mode: 'async' as const }];
  const truth = Object.assign(Object.create(ground.truth), { config: { ...config, replicas } });
  const media = new Int32Array(SECTORS);
  [media[0], media[BLOCK]] = shows(first, second, third) as [number, number];
  const side = new Int32Array(BLOCK);
  side[0] = saved(first);
  const { metaOught } = ground.replica(1).disk;
  const marks = new ZeroMarks(ground.spoils);
  const disk = { view: media, media, side: { view: side, media: side, zeroes: marks }, metaOught };
  ill(ground, marks, first);
  const actors = Object.assign(new EngineActors(), { kept: () => kept });
  const zeroes = new Zeroes(ground.history, ground.spoils);
  const oracle = new PrefixOracle(truth, actors, ground.verdict, zeroes);
  oracle.look({ node: 1, disk } as unknown as ReplicaTruth, true);
  return { codes: [...new Set(ground.codes)], looks: oracle.looks };
}

describe('the image of an asynchronous replica', () => {
  it('may be that of any moment, the first one too', () => {
    const moments: readonly Parameters<typeof shown>[0][] = [
      () => [0, 0],
      (first) => [first, 0],
      (first, second) => [first, second],
      (_, second, third) => [third, second],
    ];
    for (const shows of moments) expect(shown(shows)).toEqual({ codes: [], looks: 1 });
  });

  it('is none where a write is there without one that had completed before', () => {
    const mixed = ['prefix.mixed'];
    expect(shown((_, second) => [0, second])).toEqual({ codes: mixed, looks: 1 });
    expect(shown((_, __, third) => [third, 0])).toEqual({ codes: mixed, looks: 1 });
  });

  it('is what its log would put back, whatever stands on the disk meanwhile', () => {
    const runs = [{ block: 0, blocks: 1, page: 0 }];
    const open = { ...IMAGE, log: 7, inconsistent: true, point: false, runs };
    const over = (_: number, __: number, third: number) => [third, 0] as const;
    expect(shown(over, open, (first) => first)).toEqual({ codes: [], looks: 1 });
    expect(shown(over, open, () => 0)).toEqual({ codes: [], looks: 1 });
    const later = (_: number, second: number) => [0, second] as const;
    expect(shown(later, open, () => 0).codes).toEqual(['prefix.mixed']);
  });

  it('has zeroes that were none by their mark, where the log says only zeroes', () => {
    const runs = [{ block: 0, blocks: 1, page: -1 }];
    const open = { ...IMAGE, log: 7, inconsistent: true, point: false, runs };
    const later = (_: number, second: number) => [0, second] as const;
    expect(shown(later, open).codes).toEqual(['prefix.mixed']);
    const spoiled = (ground: Ground, marks: ZeroMarks, first: number) =>
      marks.found(0, 1, Int32Array.of(ground.spoils.stamp(0, first)), 0);
    expect(shown(later, open, () => 0, spoiled)).toEqual({ codes: [], looks: 1 });
  });

  it('need not have what nobody can know of any more', () => {
    const orphan = (ground: Ground) => {
      ground.truth.orphaned[0] = Orphan.Everywhere;
    };
    const later = (_: number, second: number) => [0, second] as const;
    expect(shown(later, IMAGE, () => 0, orphan)).toEqual({ codes: [], looks: 1 });
  });

  it('is not looked for where the replica says that it has none', () => {
    const none = { ...IMAGE, inconsistent: true, point: false };
    expect(shown((_, second) => [0, second], none)).toEqual({ codes: [], looks: 0 });
  });
});
