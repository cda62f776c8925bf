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

  it('when one core died with receipts, and the other one, which had all, loses its power', () => {
    const { ground, oracles, off } = written();
    oracles.receiptLost(ground.replica(2));
    expect(oracles.forgot).toBe(false);
    off(1);
    expect(oracles.forgot).toBe(true);
    expect(ground.codes).toEqual([]);
  });

  it('unless whoever lost what it had received leads while another has it', () => {
    const { ground, oracles } = written();
    const { disk } = ground.replica(2);
    // It was on its way to the disk.
    disk.crash('none');
    oracles.receiptLost(ground.replica(2));
    oracles.record(ground.replica(2), ground.record(3, 2, [2]));
    oracles.report(ground.replica(2), { kind: 'active', volume: 'v', epoch: 3, cause: '' });
    expect(oracles.forgot).toBe(false);
    expect(ground.codes).toContain('acknowledged.promoted-without');
  });

  // Seed 8612700: a guest was frozen, with its clock, as it was to lead, until another one led.
  it('where who is to lead wakes late, for what was acknowledged by a later record alone', () => {
    const { ground, oracles } = written();
    oracles.record(ground.replica(2), ground.record(3, 2, [1, 2]));
    oracles.record(ground.replica(1), ground.record(4, 1, [1]));
    const active = { kind: 'active', volume: 'v', epoch: 3, cause: '' } as const;
    oracles.report(ground.replica(1), { ...active, epoch: 4 });
    acknowledge(ground, oracles, [1]);
    oracles.report(ground.replica(2), active);
    expect(ground.codes).toEqual([]);
    // By the newest record it has to have everything.
    oracles.record(ground.replica(2), ground.record(5, 2, [2]));
    const before = ground.codes.length;
    oracles.report(ground.replica(2), { ...active, epoch: 5 });
    expect(ground.codes.slice(before)).toEqual(['acknowledged.promoted-without']);
  });

  it('unless that was acknowledged before', () => {
    const { ground, oracles } = written();
    const first = ground.invokeWrite(40);
    oracles.invoked(first);
    ground.put(1, first, false);
    ground.history.complete(first);
    oracles.succeeded(first, ground.replica(1), new Int32Array(8), 0);
    oracles.record(ground.replica(2), ground.record(3, 2, [1, 2]));
    oracles.record(ground.replica(1), ground.record(4, 1, [1]));
    acknowledge(ground, oracles, [1]);
    const before = ground.codes.length;
    oracles.report(ground.replica(2), { kind: 'active', volume: 'v', epoch: 3, cause: '' });
    expect(ground.codes.slice(before)).toEqual(['acknowledged.promoted-without']);
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

/**
 * The write was in both caches when both lost power, and host 2 has it on its medium all the same.
 * The set that names host 2 alone never serves, and host 1 leads without the write.
 */
function forgotten(): ReturnType<typeof written> {
  const made = written();
  const { ground, oracles, off } = made;
  ground.replica(2).disk.media[5] = 1;
  for (const node of [1, 2]) off(node);
  for (const node of [1, 2]) ground.replica(node).boot = () => node * 10 + 1;
  oracles.record(ground.replica(1), ground.record(3, 2, [2]));
  oracles.record(ground.replica(1), ground.record(4, 1, [1]));
  oracles.report(ground.replica(1), { kind: 'active', volume: 'v', epoch: 4, cause: '' });
  acknowledgedAt(ground, oracles, 7, 1);
  expect(ground.codes).toEqual([]);
  return made;
}

describe('what all holders had lost is nobody’s to protect, wherever a piece of it is left', () => {
  // Seeds 1182 and 3229 of a swarm with lost paths.
  it('by the one that leads without it', () => {
    const { ground, off } = forgotten();
    off(1);
    expect(ground.codes).toEqual([]);
  });

  it('unless somebody has read it since: then it is what the volume holds', () => {
    const { ground, oracles, off } = forgotten();
    reads(ground, oracles, 1);
    off(1);
    expect(ground.codes).toEqual(['acknowledged.lost-while-held']);
  });

  it('nor does it excuse a write that was acknowledged after that', () => {
    const { ground, oracles, off } = forgotten();
    acknowledge(ground, oracles, [1, 2]);
    // Host 2 was left out by a set that had not flushed.
    ground.replica(2).heldUntil = ground.history.moment;
    off(1);
    expect(ground.codes).toEqual(['acknowledged.lost-while-held']);
  });
});

/**
 * Host 2 has gone on from older data, alone and without the other: host 1 is kept by order, and
 * takes over. Both have a write of their own in sector 5, durable.
 */
function ordered(): Kept {
  const made = written();
  const { ground, oracles } = made;
  const discard = { node: 1, generation: 1, keeps: 2, order: 4, by: 'operator' } as const;
  const order = { ...discard, atMost: -1, confirmed: false };
  oracles.record(ground.replica(1), ground.record(3, 1, [1]));
  oracles.report(ground.replica(1), { kind: 'active', volume: 'v', epoch: 3, cause: '' });
  const given = acknowledgedAt(ground, oracles, 5, 1);
  const kept = ground.invokeWrite(5);
  ground.put(2, kept, true);
  const named = { ...ground.record(4, 2, [2]), generation: 2, discard: order };
  oracles.record(ground.replica(2), named);
  const serves = (): void => {
    oracles.report(ground.replica(2), { kind: 'active', volume: 'v', epoch: 4, cause: '' });
  };
  return { ...made, given, kept, serves };
}

interface Kept {
  readonly ground: Ground;
  readonly oracles: VolumeOracles;
  readonly off: (node: number) => void;
  /** What sector 5 has on the side that is given up, and on the other one. */
  readonly given: number;
  readonly kept: number;
  readonly serves: () => void;
}

/** A write that host `node` alone has, durable and acknowledged. */
function acknowledgedAt(
  ground: Ground,
  oracles: VolumeOracles,
  sector: number,
  node: number,
): number {
  const op = ground.invokeWrite(sector);
  oracles.invoked(op);
  ground.put(node, op, true);
  ground.history.complete(op);
  oracles.succeeded(op, ground.replica(node), new Int32Array(8), 0);
  return op;
}

function flush(ground: Ground, oracles: VolumeOracles, node: number): void {
  const op = ground.invokeFlush();
  ground.history.complete(op);
  oracles.succeeded(op, ground.replica(node), new Int32Array(8), 0);
}

/** What a read of sector 5 says that finds `stamp`. */
function reads(ground: Ground, oracles: VolumeOracles, stamp: number): void {
  const op = ground.invokeRead(5);
  oracles.invoked(op);
  ground.history.complete(op);
  oracles.succeeded(op, ground.replica(2), new Int32Array(8).fill(stamp), 0);
}

describe('the side that is kept by order is judged in full', () => {
  const broken = ({ ground }: Kept): readonly string[] =>
    ground.verdict.findings
      .filter(({ code }) => code !== 'acknowledged.given-up')
      .map((f) => f.code);

  it('what it has is the volume’s, and what was given up is nowhere to be seen again', () => {
    const sound = ordered();
    sound.serves();
    reads(sound.ground, sound.oracles, sound.kept);
    expect(broken(sound)).toEqual([]);
    const back = ordered();
    back.serves();
    reads(back.ground, back.oracles, back.given);
    expect(broken(back)).toEqual(['register.stale-read']);
  });

  it('also after it has lost power: nothing that it had when it began to serve may be gone', () => {
    const sound = ordered();
    sound.serves();
    sound.off(2);
    sound.ground.replica(2).boot = () => 21;
    reads(sound.ground, sound.oracles, sound.kept);
    expect([broken(sound), sound.oracles.forgot]).toEqual([[], true]);
    for (const stamp of ['given', 'nothing'] as const) {
      const lost = ordered();
      lost.serves();
      lost.off(2);
      lost.ground.replica(2).boot = () => 21;
      reads(lost.ground, lost.oracles, stamp === 'given' ? lost.given : 0);
      expect(broken(lost)).toEqual(['register.stale-read']);
    }
  });

  it('and a flushed write of it that a loss of power took is found, old data or new', () => {
    const fresh = ordered();
    fresh.serves();
    const { ground, oracles } = fresh;
    const op = ground.invokeWrite(7);
    oracles.invoked(op);
    ground.put(2, op, false);
    ground.history.complete(op);
    oracles.succeeded(op, ground.replica(2), new Int32Array(8), 0);
    flush(ground, oracles, 2);
    fresh.off(2);
    expect(broken(fresh)).toContain('flushed.lost-at-crash');
    const old = ordered();
    old.serves();
    // What it said was stable when it began to serve is not on its medium.
    old.ground.replica(2).disk.media[5] = 0;
    old.off(2);
    expect(broken(old)).toEqual(['flushed.lost-at-crash']);
  });

  it('the other side counts for no holder of anything', () => {
    const { oracles, serves, off } = ordered();
    serves();
    off(2);
    expect(oracles.forgot).toBe(true);
  });

  it('before it serves it may lose what only its cache had', () => {
    const made = ordered();
    made.ground.put(2, made.ground.invokeWrite(9), false);
    made.off(2);
    made.ground.replica(2).boot = () => 21;
    reads(made.ground, made.oracles, made.kept);
    expect(broken(made)).toEqual([]);
  });

  it('an order that is taken back in time leaves every promise as it was', () => {
    const sound = ordered();
    const { ground, oracles } = sound;
    oracles.record(ground.replica(1), { ...ground.record(5, 1, [1]), generation: 3 });
    oracles.report(ground.replica(1), { kind: 'active', volume: 'v', epoch: 5, cause: '' });
    reads(ground, oracles, sound.given);
    expect(broken(sound)).toEqual([]);
    const touched = ordered();
    const { media, view } = touched.ground.replica(1).disk;
    for (const content of [media, view]) content[5] = 0;
    touched.oracles.record(touched.ground.replica(1), touched.ground.record(5, 1, [1]));
    expect(broken(touched)).toContain('acknowledged.joined-without');
  });
});
