import { describe, expect, it } from 'vitest';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { VolumeOracles } from '../../backends/sim/oracle/oracles.ts';
import { Ground } from './oracle-ground.ts';

/** Two replicas in step; host 1 leads and has acknowledged a write that no flush has covered. */
function written(): { ground: Ground; oracles: VolumeOracles; off: (node: number) => void } {
  const ground = new Ground();
  // Where blocks differ is nobody's business here: each replica suspects all of them.
  const actors = Object.assign(new EngineActors(), {
    suspicion: () => ({ readable: false, covers: () => true }),
  });
  const oracles = new VolumeOracles(ground.truth, 'g', ground.pool, actors, ground.verdict);
  for (const node of [1, 2]) oracles.record(ground.replica(node), ground.record(2, 1));
  const leader = ground.replica(1);
  oracles.report(leader, { kind: 'active', volume: 'v', epoch: 2, cause: '' });
  acknowledge(ground, oracles, [1, 2]);
  const off = (node: number): void => {
    const replica = ground.replica(node);
    const boot = replica.boot();
    replica.boot = () => 0;
    replica.disk.crash('none');
    oracles.powerLost(replica, boot);
  };
  return { ground, oracles, off };
}

/** The disk of a host fails and has lost its cache; the host goes on. */
function fails(ground: Ground, oracles: VolumeOracles, node: number): void {
  const replica = ground.replica(node);
  replica.disk.crash('none');
  oracles.diskFailed(replica, 'gone');
}

function acknowledge(ground: Ground, oracles: VolumeOracles, nodes: readonly number[]): void {
  const op = ground.invokeWrite(5);
  oracles.invoked(op);
  for (const node of nodes) ground.put(node, op, false);
  ground.history.complete(op);
  oracles.succeeded(op, ground.replica(1), new Int32Array(8), 0);
}

describe('what was acknowledged is lost by no fault of the engine', () => {
  it('when every member has lost power', () => {
    const { oracles, off } = written();
    off(1);
    expect(oracles.forgot).toBe(false);
    off(2);
    expect(oracles.forgot).toBe(true);
  });

  // Seed 300920: the leader asked to go on alone and lost power before that was committed.
  it('when the last that had it was left out by a set that never served, and loses power', () => {
    const { ground, oracles, off } = written();
    const alone = ground.record(3, 1, [1]);
    off(1);
    oracles.record(ground.replica(2), alone);
    expect(oracles.forgot).toBe(false);
    off(2);
    expect(oracles.forgot).toBe(true);
    expect(ground.codes).toEqual([]);
  });

  it('unless one that was left out has it still: then that one has to lead', () => {
    const { ground, oracles, off } = written();
    oracles.record(ground.replica(2), ground.record(3, 1, [1]));
    off(1);
    expect(oracles.forgot).toBe(false);
    ground.replica(1).boot = () => 11;
    oracles.record(ground.replica(2), ground.record(4, 1, [1]));
    expect(ground.codes).toEqual(['acknowledged.joined-without']);
  });

  it('when the disks of both have failed, and may have forgotten what was not flushed', () => {
    const { ground, oracles } = written();
    fails(ground, oracles, 1);
    expect(oracles.forgot).toBe(false);
    fails(ground, oracles, 2);
    expect(oracles.forgot).toBe(true);
    expect(ground.codes).toEqual([]);
  });

  it('unless the other has it still: a replica whose disk failed is not to lead', () => {
    const { ground, oracles } = written();
    fails(ground, oracles, 1);
    expect(ground.codes).toEqual([]);
    oracles.report(ground.replica(1), { kind: 'active', volume: 'v', epoch: 2, cause: '' });
    expect(ground.codes).toEqual(['acknowledged.promoted-without']);
  });

  it('until a replica that failed was admitted anew: then it has to have it', () => {
    const { ground, oracles } = written();
    fails(ground, oracles, 2);
    oracles.record(ground.replica(1), ground.record(3, 1, [1]));
    expect(ground.codes).toEqual([]);
    oracles.record(ground.replica(1), ground.record(4, 1));
    expect(ground.codes).toEqual(['acknowledged.joined-without']);
  });

  it('where the one that was left out has missed a write, however equal it was before', () => {
    const { ground, oracles, off } = written();
    const alone = ground.record(3, 1, [1]);
    for (const node of [1, 2]) oracles.record(ground.replica(node), alone);
    oracles.report(ground.replica(1), { kind: 'active', volume: 'v', epoch: 3, cause: '' });
    acknowledge(ground, oracles, [1]);
    off(1);
    expect(oracles.forgot).toBe(true);
  });
});
