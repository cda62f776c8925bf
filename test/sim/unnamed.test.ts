import { describe, expect, it } from 'vitest';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { VolumeOracles } from '../../backends/sim/oracle/oracles.ts';
import { Orphan } from '../../backends/sim/oracle/truth.ts';
import { Ground } from './oracle-ground.ts';

const SECTOR = 3;

interface Made {
  readonly ground: Ground;
  readonly oracles: VolumeOracles;
  /** Whether some metadata name the block again, for another write. */
  readonly anew: { named: boolean };
}

/**
 * Both replicas show a write of sector 3, and only the disk of `holder` has it; the other one has
 * it in its cache, over an older one. The metadata of replica 1 `named` the block, or did not, and
 * a faulty disk has lost them: its core finds others as it starts.
 */
function forgotten(named = true, holder = 1): Made {
  const ground = new Ground();
  const { disk } = ground.replica(1);
  const anew = { named: false };
  const suspicion = (_volume: unknown, node: number, meta: Uint8Array) => ({
    readable: true,
    covers: () =>
      anew.named || (named && node === 1 && meta === disk.metaOught && disk.metaSpoiled),
    updates: 1,
  });
  const actors = Object.assign(new EngineActors(), { suspicion });
  const oracles = new VolumeOracles(ground.truth, 'g', ground.pool, actors, ground.verdict);
  oracles.record(ground.replica(1), ground.record(2, 2));
  const older = ground.invokeWrite(SECTOR);
  for (const node of [1, 2]) ground.put(node, older, true);
  ground.history.complete(older);
  writes({ ground, oracles, anew }, [1, 2], holder);
  disk.rotPage();
  oracles.attaching(ground.replica(1));
  return { ground, oracles, anew };
}

/** A write is acknowledged that is in the caches of `nodes`, and durable on that of `holder`. */
function writes({ ground, oracles }: Made, nodes: readonly number[], holder = 0): void {
  const op = ground.invokeWrite(SECTOR);
  oracles.invoked(op);
  for (const node of nodes) ground.put(node, op, node === holder);
  ground.history.complete(op);
  oracles.succeeded(op, ground.replica(2), new Int32Array(8), 0);
}

function fails({ ground, oracles }: Made, node: number): readonly string[] {
  const replica = ground.replica(node);
  replica.disk.crash('none');
  oracles.diskFailed(replica, 'gone');
  return covers(ground);
}

function losesPower({ ground, oracles }: Made, node: number): readonly string[] {
  const replica = ground.replica(node);
  const boot = replica.boot();
  replica.boot = () => 0;
  replica.disk.crash('none');
  oracles.powerLost(replica, boot);
  return covers(ground);
}

/** Replica 1 goes on alone, and a client flushes there. */
function leadsAlone({ ground, oracles }: Made): void {
  oracles.record(ground.replica(1), ground.record(3, 1, [1]));
  const flush = ground.invokeFlush();
  ground.history.complete(flush);
  oracles.succeeded(flush, ground.replica(1), new Int32Array(8), 0);
}

/** Replica 2 is admitted, filled with what somebody knew that it lacks. */
function joins({ ground, oracles }: Made): readonly string[] {
  oracles.record(ground.replica(1), ground.record(4, 1));
  return ground.codes.filter((code) => code === 'flushed.joined-without');
}

function covers(ground: Ground): readonly string[] {
  const found = ground.verdict.findings.filter(({ broken }) => broken);
  return found.map(({ code }) => code).filter((code) => code.startsWith('cover'));
}

describe('replicas that are the same only by a cache, and whose metadata forgot that', () => {
  // Seed 4213: a disk came back as it was, and then the flush of the other one failed.
  it('may differ when the cache is gone, by a failed disk or with the power', () => {
    expect(fails(forgotten(), 2)).toEqual([]);
    expect(losesPower(forgotten(), 2)).toEqual([]);
    expect(losesPower(forgotten(true, 2), 1)).toEqual([]);
  });

  it('may not where the lost metadata had named nothing', () => {
    expect(fails(forgotten(false), 2)).toEqual(['cover.flush-failed']);
    expect(losesPower(forgotten(false), 2)).toEqual(['cover.crash']);
  });

  it('nor by what was written since', () => {
    const anew = forgotten();
    writes(anew, [1, 2], 1);
    expect(losesPower(anew, 2)).toEqual(['cover.crash']);
    const alone = forgotten();
    alone.ground.put(1, alone.ground.invokeWrite(SECTOR), true);
    expect(losesPower(alone, 2)).toEqual(['cover.crash']);
  });

  it('nor once a replica was filled anew', () => {
    const { ground, oracles, anew } = forgotten();
    oracles.record(ground.replica(2), ground.record(3, 2, [2]));
    oracles.record(ground.replica(2), ground.record(4, 2));
    expect(losesPower({ ground, oracles, anew }, 2)).toEqual(['cover.crash']);
  });

  // Seed 632: a write failed and left pages clean, and the other disk came back as it was.
  it('may be so when one is filled: what a failed disk shows no flush brings to it', () => {
    const made = forgotten();
    made.oracles.diskFailed(made.ground.replica(2), 'clean');
    leadsAlone(made);
    expect(joins(made)).toEqual([]);
    // Reads are asked for it as long as it is shown, and no longer.
    expect(made.ground.truth.orphaned[SECTOR]).toBe(Orphan.OnMedia);
    expect(losesPower(made, 2)).toEqual([]);
    expect(made.ground.truth.orphaned[SECTOR]).toBe(Orphan.Everywhere);
  });

  it('may not where no disk failed: who joins has flushed what it shows', () => {
    const made = forgotten();
    leadsAlone(made);
    expect(joins(made)).toEqual(['flushed.joined-without']);
  });

  it('nor where one failed, and the lost metadata had named nothing', () => {
    const made = forgotten(false);
    made.oracles.diskFailed(made.ground.replica(2), 'clean');
    leadsAlone(made);
    expect(joins(made)).toEqual(['flushed.joined-without']);
  });

  it('nor in a block that was written while one of the two was away: it is copied whole', () => {
    const made = forgotten();
    const { ground, oracles } = made;
    oracles.diskFailed(ground.replica(2), 'clean');
    leadsAlone(made);
    const op = ground.invokeWrite(SECTOR + 1);
    oracles.invoked(op);
    ground.put(1, op, true);
    ground.history.complete(op);
    oracles.succeeded(op, ground.replica(1), new Int32Array(8), 0);
    expect(joins(made)).toEqual(['flushed.joined-without']);
  });

  it('may differ once nobody names the block for another write any more', () => {
    const quiet = forgotten();
    quiet.anew.named = true;
    expect(losesPower(quiet, 2)).toEqual([]);
    expect(quiet.ground.truth.orphaned[SECTOR]).toBe(Orphan.None);
    quiet.anew.named = false;
    quiet.oracles.quiet();
    expect(covers(quiet.ground)).toEqual([]);
    const filled = forgotten();
    leadsAlone(filled);
    filled.anew.named = true;
    expect(losesPower(filled, 2)).toEqual([]);
    filled.ground.replica(2).boot = () => 21;
    expect(joins(filled)).toEqual([]);
  });
});
