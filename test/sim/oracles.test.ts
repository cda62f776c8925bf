import { describe, expect, it } from 'vitest';
import type { Actors } from '../../backends/sim/actors.ts';
import { Ill } from '../../backends/sim/disk-ills.ts';
import { AcknowledgedOracle } from '../../backends/sim/oracle/acknowledged.ts';
import { CoverOracle } from '../../backends/sim/oracle/cover.ts';
import { FlushedOracle } from '../../backends/sim/oracle/flushed.ts';
import { checkHealed } from '../../backends/sim/oracle/heals.ts';
import { OneEpochOracle } from '../../backends/sim/oracle/one-epoch.ts';
import { OneHolderOracle } from '../../backends/sim/oracle/one-holder.ts';
import { VolumeOracles } from '../../backends/sim/oracle/oracles.ts';
import { RegisterOracle } from '../../backends/sim/oracle/register.ts';
import { StopBeforeStartOracle } from '../../backends/sim/oracle/stop-before-start.ts';
import { isSelfForgotten, Orphan } from '../../backends/sim/oracle/truth.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

describe('LAW-flushed', () => {
  function flushedAfter(put: (ground: Ground, op: number) => void): readonly string[] {
    const ground = new Ground();
    const oracle = new FlushedOracle(ground.truth, ground.verdict);
    for (const replica of ground.truth.replicas) replica.record = ground.record(2, 1);
    const op = ground.invokeWrite(3, 2);
    put(ground, op);
    ground.history.complete(op);
    oracle.completed(op, 0);
    const flush = ground.invokeFlush();
    ground.history.complete(flush);
    oracle.completed(flush, 0);
    return ground.codes;
  }

  it('holds when a flushed write is on the media of every in-sync replica', () => {
    const codes = flushedAfter((ground, op) => {
      ground.put(1, op, true);
      ground.put(2, op, true);
    });
    expect(codes).toEqual([]);
  });

  it('catches a flush that left a write in the cache of the peer', () => {
    const codes = flushedAfter((ground, op) => {
      ground.put(1, op, true);
      ground.put(2, op, false);
    });
    expect(codes).toEqual(['flushed.not-stable']);
  });

  it('does not ask it of a replica that a record has left out', () => {
    const codes = flushedAfter((ground, op) => {
      for (const replica of ground.truth.replicas) replica.record = ground.record(3, 1, [1]);
      ground.put(1, op, true);
    });
    expect(codes).toEqual([]);
  });

  it('catches a FUA write that is only in a cache', () => {
    const ground = new Ground();
    const oracle = new FlushedOracle(ground.truth, ground.verdict);
    ground.replica(1).record = ground.record(2, 1);
    const op = ground.invokeWrite(0, 1, true);
    ground.put(1, op, true);
    ground.put(2, op, false);
    ground.history.complete(op);
    oracle.completed(op, 0);
    expect(ground.codes).toEqual(['flushed.not-stable']);
  });

  it('catches a flushed write that is gone later', () => {
    const ground = new Ground();
    const oracle = new FlushedOracle(ground.truth, ground.verdict);
    ground.replica(1).record = ground.record(2, 1);
    const old = ground.invokeWrite(0);
    ground.history.complete(old);
    const op = ground.invokeWrite(0, 1, true);
    for (const node of [1, 2]) ground.put(node, op, true);
    ground.history.complete(op);
    oracle.completed(op, 0);
    oracle.audit(ground.replica(2), 'flushed.lost');
    expect(ground.codes).toEqual([]);
    ground.put(2, old, true);
    oracle.audit(ground.replica(2), 'flushed.lost');
    expect(ground.codes).toEqual(['flushed.lost']);
  });
});

describe('LAW-flushed, of a write that nobody ever answered', () => {
  it('catches that one where it was over before the flushed one began', () => {
    for (const closed of [false, true]) {
      const ground = new Ground();
      const oracle = new FlushedOracle(ground.truth, ground.verdict);
      ground.replica(1).record = ground.record(2, 1);
      const lost = ground.invokeWrite(0);
      if (closed) ground.history.closed[lost] = ground.history.tick();
      const op = ground.invokeWrite(0, 1, true);
      ground.put(1, op, true);
      ground.put(2, lost, true);
      ground.history.complete(op);
      oracle.completed(op, 0);
      expect(ground.codes).toEqual(closed ? ['flushed.not-stable'] : []);
    }
  });
});

describe('LAW-acknowledged', () => {
  it('catches a promoted replica without an acknowledged write, and allows a pending one', () => {
    const ground = new Ground();
    const { pool, history, truth, verdict } = ground;
    const register = new RegisterOracle('r', pool, SECTORS, history, truth.flushed, verdict);
    const oracle = new AcknowledgedOracle(truth, register, verdict);
    const pending = ground.invokeWrite(5);
    register.invoked(pending);
    ground.put(2, pending, false);
    oracle.audit(ground.replica(2), 'acknowledged.promoted-without');
    expect(ground.codes).toEqual([]);
    const op = ground.invokeWrite(6);
    register.invoked(op);
    history.complete(op);
    register.written(op);
    ground.put(1, op, false);
    oracle.audit(ground.replica(1), 'acknowledged.promoted-without');
    expect(ground.codes).toEqual([]);
    oracle.audit(ground.replica(2), 'acknowledged.promoted-without');
    expect(ground.codes).toEqual(['acknowledged.promoted-without']);
  });
});

describe('LAW-one-epoch', () => {
  function onBoth(ground: Ground): number {
    const op = ground.invokeWrite(5);
    for (const node of [1, 2]) ground.put(node, op, false);
    return op;
  }

  it('catches an acknowledgement in an epoch that is over', () => {
    const ground = new Ground();
    const oracle = new OneEpochOracle(ground.truth, ground.verdict);
    ground.replica(1).acting = ground.record(2, 1);
    const before = onBoth(ground);
    oracle.acknowledged(ground.replica(1), before);
    ground.replica(2).acting = ground.record(3, 2, [2]);
    oracle.acknowledged(ground.replica(2), onBoth(ground));
    // Late news of what was gathered in time.
    oracle.acknowledged(ground.replica(1), before);
    expect(ground.codes).toEqual([]);
    // That it was given a later record helps nobody who does not act in it.
    ground.replica(1).record = ground.record(4, 1);
    oracle.acknowledged(ground.replica(1), onBoth(ground));
    expect(ground.codes).toEqual(['epoch.went-back']);
  });

  it('catches a host that acknowledges without having said that it serves as primary', () => {
    for (const acting of [null, new Ground().record(2, 2)]) {
      const ground = new Ground();
      const oracle = new OneEpochOracle(ground.truth, ground.verdict);
      ground.replica(1).record = ground.record(2, 1);
      ground.replica(1).acting = acting;
      oracle.acknowledged(ground.replica(1), onBoth(ground));
      expect(ground.codes).toEqual(['epoch.not-primary']);
    }
  });

  it('catches an acknowledgement that a member of the epoch knows nothing of', () => {
    const ground = new Ground();
    const oracle = new OneEpochOracle(ground.truth, ground.verdict);
    const [one, two] = [ground.replica(1), ground.replica(2)];
    one.acting = ground.record(2, 1);
    const alone = (): number => {
      const op = ground.invokeWrite(9);
      ground.put(1, op, false);
      return op;
    };
    oracle.acknowledged(one, alone());
    expect(ground.codes).toEqual(['epoch.passed-over']);
    // A member in another life is none, nor is one that the record leaves out.
    two.boot = () => 21;
    oracle.acknowledged(one, alone());
    two.boot = () => 20;
    one.acting = ground.record(3, 1, [1]);
    oracle.acknowledged(one, alone());
    expect(ground.codes).toEqual(['epoch.passed-over']);
  });

  it('catches a replica that accepts a write of a writer that was deposed', () => {
    const ground = new Ground();
    const { records } = ground.truth;
    const oracle = new OneEpochOracle(ground.truth, ground.verdict);
    records.set(3, ground.record(3, 1));
    records.set(4, ground.record(4, 1));
    oracle.accepted(ground.replica(2), 4);
    // The same writer's, sent before: the disk was slower with it (seed 91918).
    oracle.accepted(ground.replica(2), 3);
    expect(ground.codes).toEqual([]);
    records.set(5, ground.record(5, 2));
    records.set(6, ground.record(6, 1));
    oracle.accepted(ground.replica(2), 6);
    oracle.accepted(ground.replica(2), 4);
    expect(ground.codes).toEqual(['epoch.stale-write-accepted']);
  });

  it('catches one that accepts what was before it was left out, or its writer lost power', () => {
    for (const what of ['left out', 'another life'] as const) {
      const ground = new Ground();
      const { records } = ground.truth;
      const oracle = new OneEpochOracle(ground.truth, ground.verdict);
      records.set(3, ground.record(3, 1));
      if (what === 'left out') records.set(4, ground.record(4, 1, [1]));
      else {
        const { boot } = ground.replica(1);
        ground.replica(1).boot = () => boot() + 1;
        records.set(4, ground.record(4, 1));
      }
      records.set(5, ground.record(5, 1));
      oracle.accepted(ground.replica(2), 5);
      oracle.accepted(ground.replica(2), 3);
      expect([what, ...ground.codes]).toEqual([what, 'epoch.stale-write-accepted']);
    }
  });

  it('lets writes of one writer end in any order across its epochs, and of two in none', () => {
    for (const between of [1, 2]) {
      const ground = new Ground();
      const oracle = new OneEpochOracle(ground.truth, ground.verdict);
      const primaries = [1, between, 1];
      for (const [i, primary] of primaries.entries()) {
        ground.truth.records.set(3 + i, ground.record(3 + i, primary));
      }
      oracle.accepted(ground.replica(2), 5);
      oracle.accepted(ground.replica(2), 3);
      expect(ground.codes).toEqual(between === 1 ? [] : ['epoch.stale-write-accepted']);
    }
  });
});

describe('LAW-one-holder', () => {
  it('catches an application that starts on one host before it has stopped on the other', () => {
    const ground = new Ground();
    const oracle = new OneHolderOracle('g', ground.verdict);
    oracle.changed(1, 'starting');
    oracle.changed(1, 'running');
    oracle.changed(1, 'stopping');
    expect(ground.codes).toEqual([]);
    oracle.changed(2, 'starting');
    expect(ground.codes).toEqual(['holder.two']);
  });

  it('holds when the first has stopped', () => {
    const ground = new Ground();
    const oracle = new OneHolderOracle('g', ground.verdict);
    oracle.changed(1, 'running');
    oracle.changed(1, 'stopped');
    oracle.changed(2, 'starting');
    expect(ground.codes).toEqual([]);
  });
});

describe('LAW-stop-before-start', () => {
  type Step = (ground: Ground, oracle: StopBeforeStartOracle, running: Set<number>) => void;

  function change(before: Step): string[] {
    const ground = new Ground();
    const running = new Set([1]);
    const oracle = new StopBeforeStartOracle(ground.truth, ground.verdict, (node) =>
      running.has(node),
    );
    oracle.changed(ground.record(2, 1));
    ground.replica(1).granted = 1_000;
    ground.now = 500;
    before(ground, oracle, running);
    oracle.changed(ground.record(3, 2));
    return [...ground.codes];
  }

  it('catches an owner change while the owner before still has its right', () => {
    expect(change(() => {})).toEqual(['stop.none']);
  });

  it('takes a stop for one until the host that stopped is given the next record', () => {
    const named =
      (given: boolean): Step =>
      (ground, oracle) => {
        oracle.stopped(1);
        const again = ground.record(4, 1);
        // Somebody else heard of it first.
        oracle.changed(again);
        if (given) oracle.given(1, again);
      };
    expect(change(named(false))).toEqual([]);
    expect(change(named(true))).toEqual(['stop.none']);
    const rebooted: Step = (ground, oracle) => {
      ground.replica(1).boot = () => 99;
      oracle.given(1, ground.record(4, 1));
    };
    expect(change(rebooted)).toEqual(['stop.none']);
  });

  it('holds when the core that had the right is dead and its application has ended', () => {
    const dies: Step = (_ground, oracle, running) => {
      running.clear();
      oracle.coreDied(1);
    };
    expect(change(dies)).toEqual([]);
    // The application outlives the core, and a core that came after may have been given the right.
    expect(change((_ground, oracle) => oracle.coreDied(1))).toEqual(['stop.none']);
    expect(change((_ground, _oracle, running) => running.clear())).toEqual(['stop.none']);
    const again: Step = (ground, oracle, running) => {
      dies(ground, oracle, running);
      oracle.granted(1);
    };
    expect(change(again)).toEqual(['stop.none']);
  });

  it('holds after a confirmed stop, a loss of power, or the end of the right', () => {
    expect(change((_ground, oracle) => oracle.stopped(1))).toEqual([]);
    expect(
      change((ground) => {
        ground.replica(1).boot = () => 99;
      }),
    ).toEqual([]);
    expect(
      change((ground) => {
        ground.now = 1_000;
      }),
    ).toEqual([]);
  });
});

describe('LAW-cover', () => {
  const knowing = (known: readonly number[]): Actors =>
    ({
      suspicion: (_volume: unknown, node: number) => ({
        readable: true,
        covers: (block: number) => node === 1 && known.includes(block),
      }),
    }) as unknown as Actors;

  it('catches replicas that differ in a block that neither knows', () => {
    const ground = new Ground();
    ground.put(1, ground.invokeWrite(17), false);
    new CoverOracle(ground.truth, knowing([0, 1]), ground.verdict).audit('cover.quiet');
    expect(ground.codes).toEqual(['cover.quiet']);
  });

  it('holds when one of them has the block as dirty or hot', () => {
    const ground = new Ground();
    ground.put(1, ground.invokeWrite(17), false);
    new CoverOracle(ground.truth, knowing([2]), ground.verdict).audit('cover.quiet');
    expect(ground.codes).toEqual([]);
  });
});

describe('under faulty disks', () => {
  const ALWAYS = 1_000_000;
  const blind = { suspicion: () => ({ readable: true, covers: () => false, updates: 1 }) };

  function whole(ground: Ground, actors: object = blind): VolumeOracles {
    for (const replica of ground.truth.replicas) replica.record = ground.record(2, 1);
    ground.truth.record = ground.record(2, 1);
    const { truth, pool, verdict } = ground;
    return new VolumeOracles(truth, 'g', pool, actors as unknown as Actors, verdict);
  }

  /** A write that both have, acknowledged and flushed. */
  function flushed(ground: Ground, oracles: VolumeOracles, sector: number): number {
    const op = ground.invokeWrite(sector, 1, true);
    oracles.invoked(op);
    for (const node of [1, 2]) ground.put(node, op, true);
    ground.history.complete(op);
    const replica = ground.replica(1);
    replica.acting = ground.record(2, 1);
    oracles.succeeded(op, replica, new Int32Array(8), 0);
    return op;
  }

  function readAt(ground: Ground, oracles: VolumeOracles, node: number, sector: number): void {
    const op = ground.invokeRead(sector);
    oracles.invoked(op);
    ground.history.complete(op);
    const stamps = Int32Array.of(ground.replica(node).disk.view[sector] as number);
    oracles.succeeded(op, ground.replica(node), stamps, 0);
  }

  const broken = (ground: Ground): readonly string[] =>
    ground.verdict.findings.filter((finding) => finding.broken).map(({ code }) => code);

  it('LAW-flushed excuses what a lying disk lost, and nothing that an honest one lost', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    const before = flushed(ground, oracles, 3);
    ground.ills[1]?.change(Ill.LyingFlush, ALWAYS);
    flushed(ground, oracles, 3);
    ground.replica(2).disk.crash('none');
    oracles.powerLost(ground.replica(2), 20);
    expect(broken(ground)).toEqual([]);
    // The same loss on a disk that told no lie.
    ground.put(1, before, true);
    oracles.powerLost(ground.replica(1), 10);
    expect(broken(ground)).toContain('flushed.lost-at-crash');
  });

  it('LAW-flushed asks nothing of a replica for a flush after it had left the set', () => {
    for (const stays of [false, true]) {
      const ground = new Ground();
      const oracles = whole(ground);
      const op = ground.invokeWrite(3);
      oracles.invoked(op);
      for (const node of [1, 2]) ground.put(node, op, false);
      ground.history.complete(op);
      const primary = ground.replica(1);
      primary.acting = ground.record(2, 1);
      oracles.succeeded(op, primary, new Int32Array(8), 0);
      if (!stays) oracles.record(primary, ground.record(3, 1, [1]));
      const flush = ground.invokeFlush();
      oracles.invoked(flush);
      ground.put(1, op, true);
      ground.history.complete(flush);
      oracles.succeeded(flush, primary, new Int32Array(8), 0);
      ground.replica(2).disk.crash('none');
      oracles.powerLost(ground.replica(2), 20);
      const codes = ['flushed.not-stable', 'flushed.lost-at-crash'];
      const own = broken(ground).filter((code) => code.startsWith('flushed.'));
      expect(own).toEqual(stays ? codes : []);
    }
  });

  it('LAW-register excuses a read of the very sector that rotted on the very replica', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    for (const sector of [3, 9]) flushed(ground, oracles, sector);
    ground.replica(2).disk.rot(1);
    for (const node of [1, 2]) for (const sector of [3, 9]) readAt(ground, oracles, node, sector);
    expect(broken(ground)).toEqual([]);
    expect(ground.codes).toEqual(['register.spoiled-read']);
  });

  it('LAW-register still finds a stale read beside a rotten sector', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    const before = flushed(ground, oracles, 3);
    flushed(ground, oracles, 3);
    flushed(ground, oracles, 9);
    ground.replica(2).disk.rot(1);
    // A bug puts the old value back where nothing is rotten.
    const sector = ground.truth.spoils.spoiled(ground.replica(2).disk.view[3] as number) ? 9 : 3;
    const op = ground.invokeRead(sector);
    oracles.invoked(op);
    ground.history.complete(op);
    oracles.succeeded(op, ground.replica(2), Int32Array.of(sector === 3 ? before : 0), 0);
    expect(broken(ground)).toEqual(['register.stale-read']);
  });

  it('LAW-register finds a stale read in a rotten sector too, by what it ought to hold', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    flushed(ground, oracles, 3);
    ground.replica(2).disk.rot(1);
    const rotten = ground.replica(2).disk.view[3] as number;
    flushed(ground, oracles, 3);
    // The copy of before the last write is served: rotten or not, it is old.
    const op = ground.invokeRead(3);
    oracles.invoked(op);
    ground.history.complete(op);
    oracles.succeeded(op, ground.replica(2), Int32Array.of(rotten), 0);
    expect(broken(ground)).toEqual(['register.stale-read']);
  });

  it('LAW-cover and LAW-heals count as different only what ought to be different', () => {
    const known = {
      name: 'g',
      volume: 0,
      state: 'online',
      blocked: [],
      logLost: false,
      behind: [],
    };
    const healthy = { ...known, running: [1] };
    const ground = new Ground();
    const oracles = whole(ground);
    flushed(ground, oracles, 3);
    ground.replica(2).disk.rot(1);
    oracles.quiet();
    checkHealed(ground.truth, healthy, ground.verdict);
    expect(broken(ground)).toEqual([]);
    ground.put(1, ground.invokeWrite(3), true);
    oracles.quiet();
    checkHealed(ground.truth, healthy, ground.verdict);
    expect(broken(ground)).toContain('cover.quiet');
    expect(broken(ground)).toContain('heals.replicas-differ');
  });

  it('LAW-acknowledged finds a promoted replica without a write that its disk never lost', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    ground.ills[1]?.change(Ill.LostWrite, ALWAYS);
    flushed(ground, oracles, 3);
    const active = { kind: 'active', volume: 'v', epoch: 2, cause: '' } as const;
    oracles.report(ground.replica(2), active);
    expect(broken(ground)).toEqual([]);
    const op = ground.invokeWrite(9);
    oracles.invoked(op);
    ground.put(1, op, true);
    ground.history.complete(op);
    oracles.register.written(op);
    oracles.report(ground.replica(2), active);
    expect(broken(ground)).toEqual(['acknowledged.promoted-without']);
  });

  /** Replica 2 misses a write that its own metadata names; then it loses those metadata. */
  function forgets(named: boolean): Ground {
    const ground = new Ground();
    const { disk } = ground.replica(2);
    const oracles = whole(ground, {
      suspicion: (_volume: unknown, _node: number, meta: Uint8Array) => ({
        readable: true,
        covers: () => named && meta === disk.metaOught,
        updates: 1,
      }),
    });
    ground.put(1, ground.invokeWrite(3), true);
    disk.rotPage();
    oracles.attaching(ground.replica(2));
    oracles.quiet();
    return ground;
  }

  it('LAW-cover excuses a difference that lost metadata had named, and no other', () => {
    expect(broken(forgets(true))).toEqual([]);
    expect(forgets(true).codes).toEqual(['cover.forgotten']);
    expect(broken(forgets(false))).toEqual(['cover.quiet']);
  });

  it('LAW-cover asks nothing of replicas that refuse each other since one forgot itself', () => {
    for (const selfForgotten of [false, true]) {
      const ground = new Ground();
      ground.replica(2).selfForgotten = selfForgotten;
      ground.put(1, ground.invokeWrite(3), true);
      ground.replica(2).link = 'Refused';
      whole(ground).quiet();
      expect(broken(ground)).toEqual(selfForgotten ? [] : ['cover.quiet']);
    }
  });

  it('a replica that forgot itself is excused no more once it was filled and admitted anew', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    ground.replica(2).selfForgotten = true;
    oracles.record(ground.replica(1), ground.record(3, 1, [1]));
    expect(isSelfForgotten(ground.truth)).toBe(true);
    oracles.record(ground.replica(1), ground.record(4, 1));
    expect(isSelfForgotten(ground.truth)).toBe(false);
  });

  it('what lost metadata excused ends with the next stable write of the sector', () => {
    const ground = new Ground();
    const oracles = whole(ground);
    ground.truth.orphaned[3] = Orphan.Everywhere;
    flushed(ground, oracles, 3);
    expect(ground.truth.orphaned[3]).toBe(Orphan.None);
  });

  it('LAW-heals excuses a group that waits for a person only after a replica forgot itself', () => {
    for (const selfForgotten of [false, true]) {
      const ground = new Ground();
      ground.replica(2).selfForgotten = selfForgotten;
      ground.truth.record = ground.record(2, 1);
      const known = { name: 'g', volume: 0, running: [], state: '', logLost: false, behind: [] };
      const group = { ...known, blocked: ['no-replica'] };
      checkHealed(ground.truth, group, ground.verdict);
      expect(broken(ground)).toEqual(selfForgotten ? [] : ['heals.not-running']);
      // One that waits and does not say so is never excused.
      const silent = new Ground();
      silent.replica(2).selfForgotten = selfForgotten;
      silent.truth.record = silent.record(2, 1);
      checkHealed(silent.truth, { ...group, blocked: [] }, silent.verdict);
      expect(broken(silent)).toEqual(['heals.not-running']);
      // No disk is to blame for an application.
      const other = new Ground();
      other.replica(2).selfForgotten = selfForgotten;
      other.truth.record = other.record(2, 1);
      const blocked = ['application-failed'];
      checkHealed(other.truth, { ...group, blocked }, other.verdict);
      expect(broken(other)).toEqual(['heals.not-running']);
    }
  });
});
