import { describe, expect, it } from 'vitest';
import { Decision, Flag } from '../../../engine/data/abi.ts';
import type { KeptBranch } from '../../../engine/data/messages.ts';
import { Feature } from '../../../engine/mirror/features.ts';
import { keepsBranch } from '../../../engine/mirror/metadata.ts';
import { undoLayout } from '../../../engine/mirror/undo-log.ts';
import { ASYNC_CONFIG } from '../../support/mirror-async.ts';
import { until } from '../../support/mirror-cases.ts';
import {
  branchImage,
  copiedOnceMore,
  droppedAsCopyBegins,
  eventsOf,
  filled,
  filledAlike,
  givenUpAgain,
  givingUp,
  heldByBranch,
  judgeBranch,
  type Kept,
  keptOf,
  resized,
  spoilBatch,
} from '../../support/mirror-kept.ts';
import { forked, give, orderOf, resolved } from '../../support/mirror-split.ts';
import { orderReturn, SIDE_CONFIG, superblockOf } from '../../support/mirror-undo.ts';

/** The host of the branch starts anew, and has read what it keeps. */
function restarted({ pair, victim }: Kept): void {
  pair.powerOff(victim.node);
  pair.runFor(50_000);
  pair.powerOn(victim.node);
  pair.settle();
}

/** How long before a copy begins a branch is dropped, and how long after it power is lost. */
const DROPS = [
  [5_000, 5_000],
  [5_000, 20_000],
  [20_000, 10_000],
  [30_000, 5_000],
] as const;

describe('a branch that is given up', () => {
  it('is kept whole in the side area, whatever cuts its copy and later ones short', () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      expect([seed, ...copiedOnceMore(seed).violations]).toEqual([seed]);
    }
  });

  it('is told of with the order that gave it up, also after a restart', () => {
    const kept = keptOf(1);
    const { pair, told, victim, branches } = kept;
    const given = orderOf(kept, victim.node);
    const [generation, keeps] = [given.generation, given.keeps];
    const whole = { state: 'whole', generation, keeps, shared: 100, order: 1, by: 'operator' };
    expect(told.branch).toMatchObject(whole);
    expect(told.branch?.usedBytes).toBeGreaterThan(0);
    expect(branches[victim.node - 1]?.generation).toBe(generation);
    const before = told.branch;
    told.branch = null;
    restarted(kept);
    until(pair, () => told.branch !== null);
    expect(told.branch).toEqual(before);
    expect(pair.marks.has('mirror.branch.kept')).toBe(true);
    expect(pair.violations).toEqual([]);
  });

  it('is known by a feature that programs of before refuse', () => {
    const { pair, victim } = keptOf(2);
    const { features } = superblockOf(pair.config, victim);
    expect(features.incompatible & Feature.Branch).toBe(Feature.Branch);
    expect(superblockOf(pair.config, pair.host(3 - victim.node)).features.incompatible).toBe(
      features.incompatible & ~Feature.Branch,
    );
  });

  it('is dropped by order of a person alone, and only the one that was meant', () => {
    const kept = keptOf(3);
    const { pair, told, victim } = kept;
    const generation = told.branch?.generation ?? 0;
    pair.command(victim, { kind: 'drop-branch', generation: generation + 1, cause: 'c' });
    pair.runFor(100_000);
    judgeBranch(kept);
    expect(pair.violations).toEqual([]);
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.runFor(100_000);
    expect(told.branch).toBeNull();
    expect(branchImage(pair.config, victim)).toBeNull();
    expect(superblockOf(pair.config, victim).undo).toBe(0);
    restarted(kept);
    expect(told.branch).toBeNull();
    expect(pair.marks.has('mirror.branch.dropped')).toBe(true);
  });

  it('leaves no room for another way back: the next copy goes on without, and says so', () => {
    const { pair, victim, told } = keptOf(4);
    let reason = '';
    const report = pair.report.bind(pair);
    pair.report = (h, said) => {
      if (said.kind === 'way-back' && h === victim) reason ||= said.wayBack?.reason ?? '';
      report(h, said);
    };
    pair.load(true);
    pair.cut();
    until(pair, () => pair.record.members.length === 1);
    pair.runFor(300_000);
    pair.heal();
    expect(until(pair, () => reason !== '')).toBe(true);
    expect(reason).toBe('branch');
    orderReturn(pair, victim);
    pair.settle();
    expect(told.branch?.state).toBe('whole');
    expect(pair.violations).toEqual([]);
  });

  it('holds the next copy back where one needs a way back, until it is dropped', () => {
    const kept = heldByBranch(5);
    const { pair, victim, told } = kept;
    expect(pair.log.some((line) => line.includes('undo-branch'))).toBe(true);
    expect(victim.disk).not.toBe('Inconsistent');
    judgeBranch(kept);
    const generation = told.branch?.generation ?? 0;
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.settle();
    expect(pair.violations).toEqual([]);
    expect(keepsBranch(superblockOf(pair.config, victim))).toBe(false);
  });

  it('says that a copy waits for it, also after a restart, and no longer than one does', () => {
    const kept = heldByBranch(5);
    const { pair, victim, told } = kept;
    const branch = told.branch as KeptBranch;
    expect(branch).toMatchObject({ state: 'whole', holds: true });
    expect(pair.marks.has('mirror.branch.holds')).toBe(true);
    told.branch = null;
    pair.powerOff(victim.node);
    pair.runFor(50_000);
    pair.powerOn(victim.node);
    until(pair, () => told.branch !== null && (told.branch as KeptBranch).holds === true);
    expect(told.branch).toMatchObject({ state: 'whole', holds: true });
    // Another one than the branch that stands is not dropped, and nothing is let go.
    const { generation } = branch;
    pair.command(victim, { kind: 'drop-branch', generation: generation + 1, cause: 'c' });
    pair.runFor(200_000);
    expect(told.branch).toMatchObject({ holds: true });
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.settle();
    expect(told.branch).toBeNull();
    expect(victim.disk).toBe('UpToDate');
    expect(pair.violations).toEqual([]);
  });

  it('holds nothing up where no way back is required', () => {
    const { pair, told } = keptOf(5);
    const holds: boolean[] = [];
    const report = pair.report.bind(pair);
    pair.report = (h, said) => {
      if (said.kind === 'kept-branch') holds.push(said.branch?.holds === true);
      report(h, said);
    };
    pair.load(true);
    pair.cut();
    until(pair, () => pair.record.members.length === 1);
    pair.heal();
    pair.settle();
    expect(told.branch?.holds).toBeUndefined();
    expect(holds).not.toContain(true);
    expect(pair.marks.has('mirror.branch.holds')).toBe(false);
  });

  it('holds a copy up and nobody is told, with branch-hold-unsaid', () => {
    const { pair, victim, told } = heldByBranch(5, ['branch-hold-unsaid']);
    expect(victim.disk).not.toBe('UpToDate');
    expect(pair.log.some((line) => line.includes('undo-branch'))).toBe(true);
    expect(told.branch?.holds).toBeUndefined();
  });

  it('is not kept where the side area is too small, and the copy ends all the same', () => {
    const kept = givingUp(6, 1, { config: { ...SIDE_CONFIG, sideBytes: 64 * 4096 } });
    const { pair, victim } = kept;
    resolved(kept, 1);
    expect(pair.violations).toEqual([]);
    expect(keepsBranch(superblockOf(pair.config, victim))).toBe(false);
    expect(pair.marks.has('mirror.undo.given-up')).toBe(true);
    // The copy has ended, and it is told of until a person has seen it.
    const { generation, keeps } = orderOf(kept, 1);
    const lost = { reason: 'full', generation, keeps, order: 1, by: 'operator' };
    expect(kept.told).toEqual({ branch: null, lost });
    pair.command(victim, { kind: 'drop-branch', generation: generation + 1, cause: 'c' });
    pair.runFor(100_000);
    expect(kept.told.lost).toEqual(lost);
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.runFor(100_000);
    expect(kept.told).toEqual({ branch: null, lost: undefined });
  });

  it('is not kept where another one is, which stays, and that is told', () => {
    const kept = keptOf(1);
    const { pair, told } = kept;
    const first = told.branch;
    givenUpAgain(kept);
    pair.settle();
    const { generation, keeps } = orderOf(kept, 2);
    expect(generation).not.toBe(first?.generation);
    expect(told.lost).toEqual({ reason: 'branch', generation, keeps, order: 2, by: 'operator' });
    expect(told.branch).toEqual(first);
    judgeBranch(kept);
    // Dropping the one that is kept leaves the word about the other, and the other way round.
    pair.command(pair.host(2), { kind: 'drop-branch', generation, cause: 'c' });
    pair.runFor(100_000);
    expect([told.branch, told.lost]).toEqual([first, undefined]);
    expect(pair.violations).toEqual([]);
  });

  it('takes the place of one that could not be kept before it', () => {
    const kept = givingUp(1, 2, { config: { ...SIDE_CONFIG, sideBytes: 64 * 4096 } });
    const { pair, told } = kept;
    resolved(kept, 2);
    expect(told.lost?.reason).toBe('full');
    resized(kept, SIDE_CONFIG.sideBytes);
    pair.settle();
    givenUpAgain(kept);
    pair.settle();
    expect(told).toMatchObject({
      branch: { state: 'whole', generation: orderOf(kept, 2).generation },
    });
    expect(told.lost).toBeUndefined();
    expect(pair.violations).toEqual([]);
  });

  it('is told of as lost where its log is found damaged before its copy is done', () => {
    const kept = givingUp(8, 1);
    const { pair, victim, told } = kept;
    until(pair, () => victim.disk === 'Inconsistent');
    pair.runFor(30_000);
    spoilBatch(kept, 0);
    pair.runFor(50_000);
    pair.powerOn(victim.node);
    resolved(kept, 1);
    expect(told.lost).toMatchObject({ reason: 'damaged', generation: orderOf(kept, 1).generation });
    expect(told.branch).toBeNull();
    expect(pair.violations).toEqual([]);
  });

  it('is not kept where it is given up by accepted loss: there its copy has a way back', () => {
    const fork = forked(6, { config: SIDE_CONFIG });
    give(fork, { ...orderOf(fork, 1), by: 'accept-loss', taker: 2 });
    resolved(fork, 1);
    const { pair } = fork;
    expect(['undo.begun', 'branch.kept'].map((mark) => pair.marks.has(`mirror.${mark}`))).toEqual([
      true,
      false,
    ]);
    expect(branchImage(pair.config, pair.hosts[0])).toBeNull();
    expect(pair.violations).toEqual([]);
  });

  it('is not kept by an asynchronous replica, which needs the area for each of its images', () => {
    const fork = forked(7, { config: ASYNC_CONFIG });
    const { pair } = fork;
    give(fork, orderOf(fork, 2));
    pair.settle();
    expect(pair.marks.has('mirror.branch.given-up')).toBe(true);
    expect(pair.marks.has('mirror.branch.kept')).toBe(false);
    expect(branchImage(pair.config, pair.hosts[1])).toBeNull();
    // And it goes on from image to image.
    const events = eventsOf(fork, pair.hosts[1]);
    pair.load(true);
    pair.runFor(1_000_000);
    expect(events.filter((kind) => kind === 'mirror.point').length).toBeGreaterThan(1);
    expect(pair.violations).toEqual([]);
  });

  it('is saved anew where it was returned to in one life of its core, in full', () => {
    const config = { ...SIDE_CONFIG, skipEqual: 'on' as const };
    const kept = givingUp(7, 1, { config }, filledAlike);
    const { pair, victim } = kept;
    until(pair, () => victim.disk === 'Inconsistent');
    pair.runFor(60_000);
    const { life } = victim;
    pair.powerOff(2);
    pair.runFor(500_000);
    orderReturn(pair, victim);
    expect(until(pair, () => victim.disk === 'Outdated')).toBe(true);
    const events = eventsOf(kept, victim);
    resolved(kept, 1);
    expect(victim.life).toBe(life);
    const copies = events.filter((kind) => kind === 'mirror.target.start');
    expect(copies).toEqual(['mirror.target.start']);
    judgeBranch(kept);
    expect(pair.violations).toEqual([]);
  });

  it('holds its area until it is durably dropped, also against a copy that begins then', () => {
    for (const [early, dark] of DROPS) {
      const kept = droppedAsCopyBegins(early, dark) as Kept;
      expect(keepsBranch(superblockOf(kept.pair.config, kept.victim))).toBe(true);
      const { pair, victim, told } = kept;
      told.branch = null;
      pair.powerOn(victim.node);
      until(pair, () => told.branch !== null);
      expect(told).toMatchObject({ branch: { state: 'whole' } });
      pair.settle();
      judgeBranch(kept);
      expect([early, dark, ...pair.violations]).toEqual([early, dark]);
    }
  });

  it('is lost though it was not dropped yet, with branch-freed-early', () => {
    const found = DROPS.some(([early, dark]) => {
      const kept = droppedAsCopyBegins(early, dark, ['branch-freed-early']) as Kept;
      const { pair, victim, told } = kept;
      if (!keepsBranch(superblockOf(pair.config, victim))) return false;
      told.branch = null;
      pair.powerOn(victim.node);
      until(pair, () => told.branch !== null);
      return (told.branch as KeptBranch | null)?.state === 'damaged';
    });
    expect(found).toBe(true);
  });

  it('is kept by order of a policy as well', () => {
    const fork = forked(9, { config: SIDE_CONFIG });
    give(fork, { ...orderOf(fork, 1), by: 'discard-younger-primary' });
    resolved(fork, 1);
    expect(fork.pair.violations).toEqual([]);
    expect(branchImage(fork.pair.config, fork.pair.hosts[0])).not.toBeNull();
  });

  it('is not kept where what its copy left out has no room, and the copy ends', () => {
    const config = { ...SIDE_CONFIG, sideBytes: 64 * 4096, skipEqual: 'on' as const };
    for (const seed of [1, 2, 3]) {
      const kept = givingUp(seed, 1, { config });
      resolved(kept, 1);
      expect([seed, ...kept.pair.violations]).toEqual([seed]);
      expect(branchImage(config, kept.victim)).toBeNull();
    }
  });

  it('is completed, or given up, within the one copy, however much room there is', () => {
    const ended = { kept: 0, lost: 0 };
    for (const pages of [1200, 2000, 2400, 2800, 4096]) {
      const config = { ...SIDE_CONFIG, sideBytes: pages * 4096, skipEqual: 'on' as const };
      const kept = givingUp(2, 1, { config }, filledAlike);
      const { pair, victim, told } = kept;
      const source = pair.host(2);
      let late = false;
      const events = eventsOf(kept, victim);
      const report = pair.report.bind(pair);
      pair.report = (h, said) => {
        // Everything is copied, and what was left out is being saved.
        const gaveUp = said.kind === 'event' && said.event.kind === 'mirror.undo.lost';
        if (h === victim && gaveUp) late = source.dirty === 0;
        report(h, said);
      };
      resolved(kept, 1);
      expect([pages, ...pair.violations]).toEqual([pages]);
      expect(events.filter((kind) => kind === 'mirror.target.start')).toEqual([
        'mirror.target.start',
      ]);
      if (late) ended.lost += 1;
      if (told.branch !== null) ended.kept += 1;
    }
    expect(ended.kept).toBeGreaterThan(0);
    expect(ended.lost).toBeGreaterThan(0);
  });

  it('is as it was when the area was enlarged in the middle, and damaged in a smaller one', () => {
    for (const seed of [1, 2, 3]) {
      const config = { ...SIDE_CONFIG, sideBytes: 1024 * 4096, undoRequired: true };
      const kept = givingUp(seed, 1, { config }, filled);
      const { pair, victim } = kept;
      until(pair, () => pair.marks.has('mirror.undo.held'));
      expect(pair.marks.has('mirror.undo.held')).toBe(true);
      resized(kept, SIDE_CONFIG.sideBytes);
      resolved(kept, 1);
      // Its batches are where they were: laid out for the smaller area.
      const image = branchImage(config, victim);
      expect(image).not.toBeNull();
      judgeBranch(kept, config);
      expect([seed, ...pair.violations]).toEqual([seed]);
      resized(kept, 400 * 4096);
      pair.settle();
      until(pair, () => kept.told.branch?.state === 'damaged');
      expect(kept.told.branch?.state).toBe('damaged');
    }
  });

  it('is another one where its log moves with the area: area-moves', () => {
    const found = [1, 2, 3].some((seed) => {
      const config = { ...SIDE_CONFIG, sideBytes: 1024 * 4096, undoRequired: true };
      const kept = givingUp(seed, 1, { config, canaries: ['area-moves'] }, filled);
      until(kept.pair, () => kept.pair.marks.has('mirror.undo.held'));
      resized(kept, SIDE_CONFIG.sideBytes);
      resolved(kept, 1);
      const { pair } = kept;
      if (pair.violations.length === 0) judgeBranch(kept);
      return pair.violations.length > 0;
    });
    expect(found).toBe(true);
  });

  it('outlives a configuration without its area, and is there with it again', () => {
    const kept = keptOf(10);
    const { pair, told } = kept;
    resized(kept, 0);
    pair.load(true);
    pair.cut();
    until(pair, () => pair.record.members.length === 1);
    pair.runFor(200_000);
    pair.settle();
    told.branch = null;
    resized(kept, SIDE_CONFIG.sideBytes);
    pair.settle();
    until(pair, () => told.branch !== null);
    expect(told).toMatchObject({ branch: { state: 'whole' } });
    judgeBranch(kept);
    expect(pair.violations).toEqual([]);
  });

  it('is the image to return to while its copy is not done, and no branch then', () => {
    const kept = givingUp(7, 1);
    const { pair, victim } = kept;
    until(pair, () => victim.disk === 'Inconsistent');
    pair.runFor(20_000);
    pair.powerOff(2);
    pair.runFor(500_000);
    orderReturn(pair, victim);
    expect(until(pair, () => victim.disk === 'Outdated')).toBe(true);
    const was = kept.kept[0];
    const zero = (stamp: number) => pair.zeroes.all(Uint32Array.of(stamp));
    for (let at = 0; at < victim.sectors; at += 1) {
      const [is, ought] = [victim.stable[at] as number, was[at] as number];
      expect([at, is === ought || (zero(is) && zero(ought))]).toEqual([at, true]);
    }
    expect(keepsBranch(superblockOf(pair.config, victim))).toBe(false);
    // It is still given up: the copy begins anew, and now it is kept.
    resolved(kept, 1);
    judgeBranch(kept);
    expect(pair.violations).toEqual([]);
  });

  it('is called damaged when some of it can not be read any more, and can be dropped then', () => {
    const kept = keptOf(8);
    const { pair, victim, told } = kept;
    spoilBatch(kept, 1);
    pair.runFor(50_000);
    pair.powerOn(victim.node);
    pair.settle();
    expect(told.branch?.state).toBe('damaged');
    expect(pair.marks.has('mirror.branch.damaged')).toBe(true);
    const generation = told.branch?.generation ?? 0;
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.runFor(100_000);
    expect(told.branch).toBeNull();
    expect(pair.violations).toEqual([]);
  });

  it('is whole again when what could not be read at a start can be, a little later', () => {
    for (const number of [-1, 1]) {
      const kept = keptOf(8);
      const { pair, victim, told } = kept;
      const before = told.branch;
      const events = eventsOf(kept, victim);
      const passes = spoilBatch(kept, number);
      pair.powerOn(victim.node);
      until(pair, () => told.branch?.state === 'damaged');
      pair.runFor(1_500_000);
      expect(told.branch?.state).toBe('damaged');
      passes();
      pair.runFor(5_000_000);
      expect([number, told.branch]).toEqual([number, before]);
      const ofBranch = events.filter((kind) => kind.startsWith('mirror.branch.'));
      expect(ofBranch).toEqual(['mirror.branch.damaged', 'mirror.branch.kept']);
      judgeBranch(kept);
      expect(pair.violations).toEqual([]);
    }
  });

  it('is read a few times, not for ever, and not when it is being dropped', () => {
    const kept = keptOf(8);
    const { pair, victim, told } = kept;
    const reads: number[] = [];
    const heads = new Set((undoLayout(SIDE_CONFIG.sideBytes)?.copies ?? []).slice(0, 1));
    pair.onDecision = (h, op, _, offset, __, ___, flags) => {
      const isHead = op === Decision.MetaRead && (flags & Flag.Side) !== 0 && heads.has(offset);
      if (h === victim && isHead) reads.push(pair.now);
    };
    spoilBatch(kept, 1);
    pair.powerOn(victim.node);
    pair.runFor(100_000_000);
    expect(reads.length).toBe(4);
    expect(told.branch?.state).toBe('damaged');
    pair.powerOff(victim.node);
    pair.powerOn(victim.node);
    until(pair, () => reads.length === 5);
    pair.runFor(100_000);
    const generation = told.branch?.generation ?? 0;
    pair.command(victim, { kind: 'drop-branch', generation, cause: 'c' });
    pair.runFor(100_000_000);
    expect([told.branch, reads.length]).toEqual([null, 5]);
    expect(pair.violations).toEqual([]);
  });

  for (const canary of ['branch-forgotten', 'branch-partly', 'branch-overwritten']) {
    it(`is not what it was with ${canary}`, () => {
      const found = [1, 2, 3, 4, 5, 6].some((seed) => {
        return copiedOnceMore(seed, [canary]).violations.some((line) => line.includes('branch'));
      });
      expect(found).toBe(true);
    });
  }
});
