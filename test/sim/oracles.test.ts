import { describe, expect, it } from 'vitest';
import type { Actors } from '../../backends/sim/actors.ts';
import { AcknowledgedOracle } from '../../backends/sim/oracle/acknowledged.ts';
import { CoverOracle } from '../../backends/sim/oracle/cover.ts';
import { FlushedOracle } from '../../backends/sim/oracle/flushed.ts';
import { checkHealed } from '../../backends/sim/oracle/heals.ts';
import { OneEpochOracle } from '../../backends/sim/oracle/one-epoch.ts';
import { OneHolderOracle } from '../../backends/sim/oracle/one-holder.ts';
import { RegisterOracle } from '../../backends/sim/oracle/register.ts';
import { StopBeforeStartOracle } from '../../backends/sim/oracle/stop-before-start.ts';
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

  it('catches a replica that accepts a write of an epoch lower than one it accepted', () => {
    const ground = new Ground();
    const oracle = new OneEpochOracle(ground.truth, ground.verdict);
    oracle.accepted(ground.replica(2), 4);
    oracle.accepted(ground.replica(2), 4);
    expect(ground.codes).toEqual([]);
    oracle.accepted(ground.replica(2), 3);
    expect(ground.codes).toEqual(['epoch.stale-write-accepted']);
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

describe('LAW-heals', () => {
  const running = { name: 'g', volume: 0, running: [1], state: 'online', blocked: [] };

  it('holds when all is equal, in sync and running', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    checkHealed(ground.truth, running, ground.verdict);
    expect(ground.codes).toEqual([]);
  });

  it('catches a group that does not run, and a replica that stays behind', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1, [1]);
    ground.replica(2).state = 'Outdated';
    checkHealed(ground.truth, { ...running, running: [] }, ground.verdict);
    expect(ground.codes).toEqual([
      'heals.not-running',
      'heals.not-up-to-date',
      'heals.not-in-sync',
    ]);
  });

  it('catches a group that runs, and that the log still takes for starting', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    checkHealed(ground.truth, { ...running, state: 'starting' }, ground.verdict);
    expect(ground.codes).toEqual(['heals.not-online']);
  });

  it('catches replicas that both call themselves up to date and differ', () => {
    const ground = new Ground();
    ground.truth.record = ground.record(2, 1);
    ground.put(1, ground.invokeWrite(0), true);
    checkHealed(ground.truth, running, ground.verdict);
    expect(ground.codes).toEqual(['heals.replicas-differ']);
  });

  it('accepts no block, whatever its reason, and no differing replicas', () => {
    for (const reason of ['stop-failed', 'application-failed', 'replica-failed', 'no-candidate']) {
      const ground = new Ground();
      ground.truth.record = ground.record(2, 1);
      ground.put(1, ground.invokeWrite(0), true);
      checkHealed(ground.truth, { ...running, running: [], blocked: [reason] }, ground.verdict);
      expect(ground.codes).toEqual(['heals.replicas-differ', 'heals.not-running']);
    }
  });
});
