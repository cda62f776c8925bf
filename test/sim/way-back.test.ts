import { describe, expect, it } from 'vitest';
import type { Kept } from '../../backends/sim/actors.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { Request } from '../../backends/sim/history.ts';
import type { ReplicaTruth } from '../../backends/sim/oracle/truth.ts';
import { WayBackOracle } from '../../backends/sim/oracle/way-back.ts';
import { ZeroMarks } from '../../backends/sim/zero-marks.ts';
import { Zeroes } from '../../backends/sim/zeroes.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

const BLOCK = 8;
const LOG = { log: 1, generation: 1, point: false, given: false, inconsistent: true };

/** A replica and the oracle that looks at it; `kept` is what its metadata say. */
function looked(ground: Ground, view: Int32Array, media: Int32Array, saved: Int32Array) {
  const { metaOught } = ground.replica(1).disk;
  const disk = {
    view,
    media,
    side: { view: saved, media: saved, zeroes: new ZeroMarks(ground.spoils) },
    metaOught,
    places: { sideAt: SECTORS },
  };
  const replica = { node: 1, disk } as unknown as ReplicaTruth;
  let kept: Kept = { ...LOG, runs: [] };
  const actors = Object.assign(new EngineActors(), { kept: () => kept });
  const zeroes = new Zeroes(ground.history, ground.spoils);
  const oracle = new WayBackOracle(ground.truth, actors, ground.verdict, zeroes);
  const look = (says: Partial<Kept>): void => {
    kept = { ...LOG, runs: [], ...says };
    oracle.look(replica);
  };
  return { oracle, replica, look };
}

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
  const view = new Int32Array(SECTORS);
  const media = new Int32Array(SECTORS);
  view[0] = shown;
  media[0] = older;
  const saved = new Int32Array(BLOCK);
  saved[0] = { zeroes: 0, shown, media: older, else: other }[held];
  const { look } = looked(ground, view, media, saved);
  look({});
  look({ runs: [{ block: 0, blocks: 1, page: held === 'zeroes' ? -1 : 0 }] });
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

/** Two writes of sector 0, one of them on the medium, and the older one saved. */
function writtenTwice(shows: 'older' | 'newer') {
  const ground = new Ground();
  const [older, newer] = [ground.invokeWrite(0), ground.invokeWrite(0)];
  const media = new Int32Array(SECTORS);
  media[0] = shows === 'older' ? older : newer;
  const saved = new Int32Array(BLOCK);
  saved[0] = older;
  return { ground, newer, media, saved, ...looked(ground, media, media, saved) };
}

/** A log is seen first when it has saved a block that was overwritten since; then it loses that. */
function seenLate(forgotten: boolean): readonly (readonly string[])[] {
  const { ground, newer, saved, oracle, replica, look } = writtenTwice('newer');
  if (forgotten) oracle.forget(replica);
  const runs = [{ block: 0, blocks: 1, page: 0 }];
  look({ runs });
  const first = [...new Set(ground.codes)];
  saved[0] = newer;
  look({ runs });
  return [first, [...new Set(ground.codes)]];
}

describe('the way back of a log that has something when it is seen first', () => {
  it('is what the log gives, and nothing else later, where a disk came back with it', () => {
    expect(seenLate(true)).toEqual([[], ['way-back.differs']]);
  });

  it('is lost where the log began: whoever overwrote anything did not wait for it', () => {
    expect(seenLate(false)[0]).toEqual(['way-back.differs']);
  });
});

/**
 * A log ends with the generation that it began with, after the replica said `before`; then it says
 * `after`. The disk holds another write than when the log began.
 */
function ended(before: readonly string[], after: readonly string[]): string[] {
  const { ground, newer, media, oracle, replica, look } = writtenTwice('older');
  const say = (kind: string) =>
    kind === '' ? oracle.attaching(replica) : oracle.said(replica, kind);
  before.forEach(say);
  look({});
  media[0] = newer;
  look({ runs: [{ block: 0, blocks: 1, page: 0 }] });
  look({ log: 0, inconsistent: false });
  after.forEach(say);
  return [...new Set(ground.codes)];
}

describe('a log that ends with the generation that it began with', () => {
  const [copy, copied, back, returned] = [
    'mirror.target.start',
    'mirror.target.end',
    'mirror.return.start',
    'mirror.return.end',
  ];

  it('may have ended by a copy from a source of the same generation', () => {
    expect(ended([copy], [copied])).toEqual([]);
  });

  it('claims the image whenever no copy is under way', () => {
    expect(ended([], [])).toEqual(['way-back.differs']);
    expect(ended([copy, back], [])).toEqual(['way-back.differs']);
    expect(ended([copy, copied], [])).toEqual(['way-back.differs']);
    expect(ended([copy, ''], [])).toEqual(['way-back.differs']);
  });

  it('claims the image when a return says so that a copy was to follow', () => {
    expect(ended([copy], [returned])).toEqual(['way-back.differs']);
    expect(ended([back, copy], [returned])).toEqual(['way-back.differs']);
  });
});
