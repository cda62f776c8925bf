/**
 * A resync beside an application, in small: one queue in which copies and requests stand in turn,
 * served at so many bytes a second, as on a wire or a disk. The application asks at a steady rate.
 */
import { Rng } from '../../engine/core/rng.ts';
import type { Micros } from '../../engine/core/units.ts';
import { Pace, type PaceOptions } from '../../engine/mirror/pace.ts';
import { canarySwitches } from '../../engine/mirror/switches.ts';

const MS = 1000;
export const SECOND: Micros = 1_000_000;
const MIB = 1024 * 1024;

export const PACE_OPTIONS: PaceOptions = {
  copyBytes: MIB,
  windowBytes: 8 * MIB,
  latencyBudget: 20 * MS,
  rateMin: 4 * MIB,
};

/** What the two share. */
export interface Plant {
  /** Bytes a second that the queue serves. */
  readonly rate: number;
  /** What each request takes besides, by itself. */
  readonly latency: Micros;
  /** The application's requests a second, of 4 KiB each; 0 for nobody there. */
  readonly requests: number;
  readonly seconds: number;
}

export interface Course {
  /** Bytes copied in each second. */
  readonly copied: readonly number[];
  /** What requests took in each second: all but one in sixteen at most. */
  readonly took: readonly Micros[];
}

/** Lets `pace` copy without end beside the application of `plant`. */
export function course(pace: Pace, plant: Plant): Course {
  const copied: number[] = [];
  const took: Micros[] = [];
  const inQueue: { bytes: number; end: Micros }[] = [];
  let flying = 0;
  /** When the queue is empty. */
  let free = 0;
  let asked = 0;
  const answers: { at: Micros; took: Micros }[] = [];
  pace.begin(0, plant.requests === 0);
  let bytesNow = 0;
  let tookNow: Micros[] = [];
  const serve = (now: Micros, bytes: number): Micros => {
    free = Math.max(free, now) + Math.ceil((bytes * SECOND) / plant.rate);
    return free;
  };
  for (let now = 0; now < plant.seconds * SECOND; now += MS) {
    while (inQueue.length > 0 && (inQueue[0]?.end as number) <= now) {
      const { bytes } = inQueue.shift() as { bytes: number };
      flying -= bytes;
      bytesNow += bytes;
    }
    while (asked * SECOND < now * plant.requests) {
      asked += 1;
      const at = serve(now, 4096) + plant.latency;
      answers.push({ at, took: at - now });
    }
    while (answers.length > 0 && (answers[0]?.at as number) <= now) {
      const answer = answers.shift() as { took: Micros };
      tookNow.push(answer.took);
      pace.note(answer.took);
    }
    pace.judge(now);
    for (;;) {
      const bytes = pace.next(flying, now);
      if (bytes === 0) break;
      pace.took(bytes, now);
      flying += bytes;
      inQueue.push({ bytes, end: serve(now, bytes) });
    }
    if ((now + MS) % SECOND !== 0) continue;
    copied.push(bytesNow);
    tookNow.sort((a, b) => a - b);
    took.push(tookNow[Math.floor((tookNow.length * 15) / 16)] ?? 0);
    bytesNow = 0;
    tookNow = [];
  }
  return { copied, took };
}

/** A plant drawn at random: slow wire to fast disk, requests quick or slow by themselves. */
export function drawPlant(rng: Rng, requests: number): Plant {
  const rate = Math.floor(MIB * (4 + rng.below(60)) * (1 + rng.below(16)));
  return { rate, latency: 100 + rng.below(60 * MS), requests, seconds: 30 };
}

/** What a pace has to keep to beside an application, whatever the plant. */
export function pacedBeside(
  seed: number,
  canaries: readonly string[],
): { readonly violations: readonly string[] } {
  const rng = new Rng(seed, 1);
  const plant = drawPlant(rng, 100 + rng.below(400));
  const pace = new Pace(PACE_OPTIONS, canarySwitches(new Set(canaries)));
  const { copied, took } = course(pace, plant);
  const violations: string[] = [];
  const { latencyBudget, rateMin } = PACE_OPTIONS;
  // Half of the seconds, once it has found its pace, keep to what is allowed; a quarter of that is
  // the width of a bucket, and the loop has to try in order to know.
  const allowed = Math.ceil(Math.max(latencyBudget, 2 * plant.latency) * 1.5);
  const settled = took.slice(10);
  const late = settled.filter((one) => one > allowed).length;
  if (2 * late > settled.length) {
    violations.push(`it does not yield: ${late} of ${settled.length} seconds above ${allowed} µs`);
  }
  // What is in flight at a second's end counts for the next.
  const least = Math.min(rateMin, plant.rate / 4) / 2;
  copied.forEach((bytes, second) => {
    if (bytes < least) violations.push(`it does not progress: ${bytes} bytes in second ${second}`);
  });
  return { violations };
}

/** The same where requests are slow whatever the copy does: now it must not stop, nor crawl. */
export function pacedBesideSlow(
  seed: number,
  canaries: readonly string[],
): { readonly violations: readonly string[] } {
  const rng = new Rng(seed, 2);
  const latency = 200 * MS + rng.below(800 * MS);
  const plant = { rate: 200 * MIB, latency, requests: 100, seconds: 30 };
  const pace = new Pace(PACE_OPTIONS, canarySwitches(new Set(canaries)));
  const { copied } = course(pace, plant);
  const violations: string[] = [];
  copied.forEach((bytes, second) => {
    if (2 * bytes < PACE_OPTIONS.rateMin) {
      violations.push(`it does not progress: ${bytes} bytes in second ${second}`);
    }
  });
  return { violations };
}

/** Requests take longer and longer: at the floor a copy begins each time that its time comes. */
export function pacedAtFloor(
  seed: number,
  canaries: readonly string[],
): { readonly violations: readonly string[] } {
  const rng = new Rng(seed, 3);
  const pace = new Pace(PACE_OPTIONS, canarySwitches(new Set(canaries)));
  const violations: string[] = [];
  pace.begin(0, false);
  let took = PACE_OPTIONS.latencyBudget;
  let floors = 0;
  for (let now = 0; now < 10 * SECOND; now += 50 * MS) {
    took += rng.below(took);
    for (let n = 0; n < 20; n += 1) pace.note(Math.min(took, SECOND * 1000));
    pace.judge(now);
    if (pace.window > 0) continue;
    floors += 1;
    const at = Math.max(now, pace.nextAt);
    const bytes = pace.next(0, at);
    if (bytes > 0) pace.took(bytes, at);
    else violations.push(`it does not progress: nothing is copied at ${at}`);
  }
  if (floors === 0) violations.push('it never came to the floor');
  return { violations };
}
