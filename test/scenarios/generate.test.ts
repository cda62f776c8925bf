import { describe, expect, it } from 'vitest';
import {
  AIMED_KINDS,
  FAULT_KINDS,
  type Fault,
  type FaultKind,
  INSTANT,
  LINKS,
  MOMENTS,
  SPLIT_FAULTS,
  WAYS,
} from '../../backends/sim/fault.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { scheduleOf } from '../../scenarios/generate.ts';
import { DEFAULT_DURATION, DISK, HEALED_PART } from '../../scenarios/scenario.ts';
import { faultPair, pairCount, singleFaults } from '../../scenarios/single-faults.ts';

const schedules = Array.from({ length: 600 }, (_, seed) => scheduleOf(seed, DEMO_CONFIG));

describe('the swarm', () => {
  it('draws the same schedule from the same seed', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      expect(scheduleOf(seed, DEMO_CONFIG)).toEqual(schedules[seed]);
    }
    expect(schedules[1]).not.toEqual(schedules[2]);
  });

  it('draws one to eight faults, in order, before the world is to heal', () => {
    for (const faults of schedules) {
      expect(faults.length).toBeGreaterThanOrEqual(1);
      expect(faults.length).toBeLessThanOrEqual(8);
      const times = faults.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times.at(-1)).toBeLessThanOrEqual(DEFAULT_DURATION - HEALED_PART);
    }
  });

  it('leaves no kind of fault, link, way or moment out, and drowns none', () => {
    const count = <T>(known: readonly T[], of: (faults: (typeof schedules)[0]) => readonly T[]) =>
      known.map((one) => schedules.filter((faults) => of(faults).includes(one)).length);
    const ills: ReadonlySet<FaultKind> = new Set<FaultKind>([...DISK, 'read-error', 'verify']);
    const least = (counts: readonly number[]) => Math.min(...counts);
    const kinds = (of: readonly FaultKind[]) => count(of, (f) => f.map(({ kind }) => kind));
    expect(
      least(
        kinds(
          FAULT_KINDS.filter(
            (kind) => !ills.has(kind) && !SPLIT_FAULTS.has(kind) && !AIMED_KINDS.includes(kind),
          ),
        ),
      ),
    ).toBeGreaterThan(20);
    // Few, so that they take little from the others.
    const drawn = [...ills].filter((kind) => !AIMED_KINDS.includes(kind));
    expect(least(kinds(drawn))).toBeGreaterThan(2);
    const ill = schedules.filter((faults) => faults.some(({ kind }) => DISK.has(kind))).length;
    expect(ill).toBeGreaterThan(40);
    expect(ill).toBeLessThan(100);
    expect(least(count(WAYS, (f) => f.map(({ ways }) => ways)))).toBeGreaterThan(50);
    expect(least(count(MOMENTS, (f) => f.map(({ when }) => when)))).toBeGreaterThan(50);
    const links = LINKS.filter((one) => one !== 'control-2');
    expect(least(count(links, (f) => f.map((one) => one.links)))).toBeGreaterThan(10);
  });

  it('of disk faults has a bad disk in most schedules, and mostly but one that fails', () => {
    const ill = ({ kind }: Fault) => DISK.has(kind) || kind === 'read-error';
    const drawn = Array.from({ length: 400 }, (_, seed) => scheduleOf(seed, DEMO_CONFIG, 'disks'));
    // A schedule of one fault may have drawn the cut that goes with it.
    expect(drawn.filter((faults) => faults.some(ill)).length).toBeGreaterThan(300);
    const failing = drawn
      .map((faults) => faults.filter(({ kind }) => kind === 'write-error'))
      .filter((failures) => failures.length > 1);
    const one = failing.filter((each) => new Set(each.map(({ target }) => target)).size === 1);
    expect(failing.length).toBeGreaterThan(5);
    expect(one.length / failing.length).toBeGreaterThan(0.6);
  });

  it('about receipts kills a core whose disk stands still, and cuts the primary off', () => {
    const drawn = Array.from({ length: 200 }, (_, seed) =>
      scheduleOf(seed, DEMO_CONFIG, 'receipts'),
    );
    for (const faults of drawn) {
      const stands = faults.find(({ kind }) => kind === 'disk-stall') as Fault;
      const dies = faults.find(({ kind }) => kind === 'kill-core') as Fault;
      expect(dies.at - stands.at).toBeLessThan(stands.for + 50_001);
      const silent = faults.filter(({ kind, target }) => kind === 'cut' && target === 'primary');
      expect(silent.some((each) => each.for >= 5_000_000)).toBe(true);
    }
    const moments = new Set(drawn.flatMap((faults) => faults.map(({ when }) => when)));
    expect([...moments].sort()).toEqual(['at-once', 'attach', 'link-up', 'meta-write']);
  });

  it('allows a schedule only a few kinds, so that rare ones meet each other', () => {
    for (const faults of schedules) {
      expect(new Set(faults.map(({ kind }) => kind)).size).toBeLessThanOrEqual(7);
    }
  });
});

describe('single faults and pairs', () => {
  const singles = singleFaults(DEMO_CONFIG);

  it('have names of their own', () => {
    expect(new Set(singles.map(({ id }) => id)).size).toBe(singles.length);
  });

  it('have every kind but the operator, and end by themselves', () => {
    const kinds = new Set(singles.map(({ fault }) => fault.kind));
    expect(FAULT_KINDS.filter((kind) => !kinds.has(kind) && !SPLIT_FAULTS.has(kind))).toEqual([
      'switch',
      'return',
      'take-over',
      'add-replica',
      'remove-replica',
      'replace-replica',
      'grow-volume',
      'lose-folder',
    ]);
    for (const { fault } of singles) {
      if (!INSTANT.has(fault.kind)) expect(fault.for).toBeGreaterThan(0);
    }
  });

  it('make every ordered pair once', () => {
    const count = pairCount(DEMO_CONFIG);
    const seen = new Set<string>();
    for (let i = 0; i < count; i += 1) {
      seen.add(
        faultPair(DEMO_CONFIG, i)
          .map(({ id }) => id)
          .join(' + '),
      );
    }
    expect(seen.size).toBe(count);
    expect(count).toBe(singles.length * singles.length);
  });
});
