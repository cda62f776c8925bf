/**
 * LAW-flushed: when a flush or a FUA write completes, everything that it covers is on the media of
 * every replica of the in-sync set, and stays there whatever is cut off later.
 */
import type { VolumeRecord } from '../../../engine/data/messages.ts';
import { type History, Request } from '../history.ts';
import { counts, Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

export class FlushedOracle {
  readonly #truth: VolumeTruth;
  readonly #verdict: Verdict;
  /**
   * When something was made stable last. A replica that had left the set by then has to have it no
   * more, though it may have every acknowledged write: in its cache.
   */
  last = 0;
  /** Completed writes that no completed flush covers yet, in order of completion. */
  #open: number[] = [];
  readonly #held: ReplicaTruth[] = [];

  constructor(truth: VolumeTruth, verdict: Verdict) {
    this.#truth = truth;
    this.#verdict = verdict;
  }

  /** A write or flush completed with success at the primary `leg`. */
  completed(op: number, leg: number): void {
    const { history } = this.#truth;
    if (history.kind[op] === Request.Write) {
      if (history.fua[op] === 1) this.#stable(op, this.#holders(leg));
      else this.#open.push(op);
    } else if (history.kind[op] === Request.Flush) this.#flushed(op, leg);
  }

  #flushed(op: number, leg: number): void {
    const { history } = this.#truth;
    const before = history.invoked[op] as number;
    let kept = 0;
    const holders = this.#holders(leg);
    for (const write of this.#open) {
      if ((history.completed[write] as number) < before) this.#stable(write, holders);
      else {
        this.#open[kept] = write;
        kept += 1;
      }
    }
    this.#open.length = kept;
  }

  /**
   * Every holder lost power: what no flush had covered may be gone, and a later one cannot help.
   */
  forget(): void {
    this.#open = [];
  }

  /** Completed writes that no completed flush covers yet. */
  get open(): readonly number[] {
    return this.#open;
  }

  /** What was open is so again: an order was taken back. */
  restore(open: readonly number[]): void {
    this.#open = [...open];
  }

  /** Checks the media of one replica against every flushed write. */
  audit(replica: ReplicaTruth, code: string): void {
    const { flushed, sectors, history, spoils, orphaned, decided } = this.#truth;
    const { media } = replica.disk;
    // By a decision, and stable since: as good as a flush of all that it kept.
    const kept = decided?.stable === true ? decided : null;
    for (let at = 0; at < sectors; at += 1) {
      const needed = flushed[at] as number;
      // Most sectors: nothing of them was ever flushed.
      if ((needed === 0 && kept === null) || orphaned[at] !== Orphan.None) continue;
      const stamp = spoils.ought(media[at] as number);
      if (needed === 0 && kept !== null) {
        if (stamp === kept.content[at]) continue;
        if (stamp !== 0 && mayFollow(history, stamp, kept.moment)) continue;
        this.#find(replica, code, at, stamp);
        return;
      }
      if (stamp !== 0 && mayFollow(history, stamp, needed)) continue;
      this.#find(replica, code, at, stamp);
      return;
    }
  }

  /** The replicas on which what completes at `leg` must be stable; good until the next call. */
  #holders(leg: number): readonly ReplicaTruth[] {
    const { replicas } = this.#truth;
    let record: VolumeRecord | null = null;
    for (const replica of replicas) if (replica.leg === leg) record = replica.record;
    const holders = this.#held;
    holders.length = 0;
    for (const replica of replicas) {
      const holds = record === null ? replica.leg === leg : counts(record, replica);
      if (holds) holders.push(replica);
    }
    return holders;
  }

  #stable(op: number, holders: readonly ReplicaTruth[]): void {
    const { history, flushed, orphaned } = this.#truth;
    const from = history.sector[op] as number;
    const to = from + (history.length[op] as number);
    const invoked = history.invoked[op] as number;
    for (const replica of holders) this.#onMedia(replica, op, from, to);
    this.last = history.moment;
    for (let at = from; at < to; at += 1) {
      if (invoked > (flushed[at] as number)) flushed[at] = invoked;
      if (orphaned[at] === Orphan.None) continue;
      if (this.#agree(at)) orphaned[at] = Orphan.None;
    }
  }

  #onMedia(replica: ReplicaTruth, op: number, from: number, to: number): void {
    const { disk } = replica;
    const { orphaned } = this.#truth;
    for (let at = from; at < to; at += 1) {
      const stamp = disk.mediaAt(at);
      if (this.#has(stamp, op) || orphaned[at] !== Orphan.None) continue;
      this.#find(replica, 'flushed.not-stable', at, stamp);
      return;
    }
  }

  /** Whether the media of all replicas have one and the same in a sector. */
  #agree(at: number): boolean {
    const { spoils, replicas } = this.#truth;
    const [first] = replicas;
    const stamp = spoils.ought(first?.disk.mediaAt(at) ?? 0);
    return replicas.every(({ disk }) => spoils.ought(disk.mediaAt(at)) === stamp);
  }

  /** Whether a medium has `op`, or one that may have come after it. */
  #has(found: number, op: number): boolean {
    const { history, spoils } = this.#truth;
    const stamp = spoils.ought(found);
    if (stamp === op) return true;
    return stamp !== 0 && mayFollow(history, stamp, history.invoked[op] as number);
  }

  #find(replica: ReplicaTruth, code: string, sector: number, stamp: number): void {
    this.#verdict.find('LAW-flushed', replica.node, code, {
      volume: this.#truth.config.name,
      sector,
      found: stamp,
      needed: this.#truth.flushed[sector] as number,
    });
  }
}

/** Whether the write may have taken effect after `moment`: neither completed nor closed before. */
export function mayFollow(history: History, write: number, moment: number): boolean {
  const done = history.completed[write] as number;
  if (done !== 0) return done >= moment;
  const closed = history.closed[write] as number;
  return closed === 0 || closed >= moment;
}
