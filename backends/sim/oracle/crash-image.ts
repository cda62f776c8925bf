/**
 * Whether an image is one that a crash could have left, by the clients' history alone: whatever
 * was made stable, by a flush or FUA, before the newest write in it was asked for, is in it too. Of
 * what is newer than all that the image has it says nothing: that may be lost, by a decision only.
 */
import { type History, Request } from '../history.ts';
import type { Zeroes } from '../zeroes.ts';
import { mayFollow } from './flushed.ts';
import { Orphan, type VolumeTruth } from './truth.ts';

/** A sector that lacks what it must have. */
export interface Lack {
  readonly sector: number;
  /** What it holds, and a write that it must hold, or one that came after it. */
  readonly found: number;
  readonly needed: number;
}

/** What `image` lacks for being one that a crash could have left, null when nothing. */
export function lackOf(truth: VolumeTruth, zeroes: Zeroes, image: Int32Array): Lack | null {
  const { history, spoils, orphaned, decided } = truth;
  const newest = newestOf(history, image, (stamp) => spoils.ought(stamp));
  // What was stable before a decision is in the image that was decided on, or given up by it.
  const after = decided !== undefined && newest > decided.moment ? decided.moment : 0;
  const kept = after !== 0 && decided?.stable === true ? decided : null;
  const needed = stableBefore(history, newest, after, image.length);
  for (let sector = 0; sector < image.length; sector += 1) {
    const write = needed[sector] as number;
    if (orphaned[sector] !== Orphan.None) continue;
    const found = spoils.ought(image[sector] as number);
    if (write === 0) {
      // Nothing since, so that what was decided on is there still.
      const was = kept === null ? found : (kept.content[sector] as number);
      if (found === was || (zeroes.are(found) && zeroes.are(was))) continue;
      if (found !== 0 && mayFollow(history, found, after)) continue;
      if (zeroes.are(found) && wasZeroed(history, sector, after)) continue;
      return { sector, found, needed: was };
    }
    if (found === write) continue;
    if (found !== 0 && mayFollow(history, found, history.invoked[write] as number)) continue;
    if (zeroes.are(found) && history.zero[write] === 1) continue;
    if (zeroes.are(found) && wasZeroed(history, sector, history.invoked[write] as number)) continue;
    return { sector, found, needed: write };
  }
  return null;
}

/** Whether zeroes were written to the sector that may have taken effect after `moment`. */
function wasZeroed(history: History, sector: number, moment: number): boolean {
  for (let op = 1; op <= history.count; op += 1) {
    if (history.zero[op] !== 1 || !history.covers(op, sector)) continue;
    if (mayFollow(history, op, moment)) return true;
  }
  return false;
}

/** When the last write was asked for of which the image has anything. */
function newestOf(history: History, image: Int32Array, ought: (stamp: number) => number): number {
  let newest = 0;
  for (let sector = 0; sector < image.length; sector += 1) {
    const stamp = ought(image[sector] as number);
    if (history.covers(stamp, sector)) {
      newest = Math.max(newest, history.invoked[stamp] as number);
    }
  }
  return newest;
}

/** Of each sector the last write asked for after `after` that was stable before `moment`. */
function stableBefore(
  history: History,
  moment: number,
  after: number,
  sectors: number,
): Int32Array {
  const { kind, invoked, completed, fua } = history;
  const ended = (op: number): boolean => {
    const at = completed[op] as number;
    return at !== 0 && at < moment;
  };
  let flushed = 0;
  for (let op = 1; op <= history.count; op += 1) {
    if (kind[op] !== Request.Flush || !ended(op)) continue;
    flushed = Math.max(flushed, invoked[op] as number);
  }
  const last = new Int32Array(sectors);
  for (let op = 1; op <= history.count; op += 1) {
    if (kind[op] !== Request.Write || (invoked[op] as number) <= after || !ended(op)) continue;
    const stable = (completed[op] as number) < flushed || fua[op] === 1;
    if (!stable) continue;
    const from = history.sector[op] as number;
    // In order of invocation: of two that overlap in time either may have been last, and mayFollow
    // admits both.
    last.fill(op, from, from + (history.length[op] as number));
  }
  return last;
}
