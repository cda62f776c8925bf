/**
 * LAW-prefix: the image that an asynchronous replica would present if it were promoted now, its
 * undo log put back where it has one, is what the volume was at one moment: no write is in it
 * without all that had completed before it was asked for. It looks before each write of metadata
 * lands and when power is lost, at what the medium has and at what reads would give. By the
 * clients' history alone: it knows nothing of the order in which anything was sent.
 */
import type { Actors, Kept } from '../actors.ts';
import { Request } from '../history.ts';
import type { Zeroes } from '../zeroes.ts';
import { Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';
import { imageOf } from './way-back.ts';

export class PrefixOracle {
  readonly #truth: VolumeTruth;
  readonly #actors: Actors;
  readonly #verdict: Verdict;
  readonly #zeroes: Zeroes;
  readonly #nodes: ReadonlySet<number>;
  /**
   * When all holders had lost what no flush covered, and up to which write of each sector one had.
   */
  readonly #forgotten: { readonly moment: number; readonly flushed: Int32Array }[] = [];
  /** What each replica's metadata said at the last look. */
  readonly #seen = new Map<number, Kept>();
  /** Whether what each shows, or keeps in its log, was called the image of one moment. */
  readonly #points = new Map<number, boolean>();
  /** The writes to each sector so far, and how many operations they are from. */
  readonly #writes: number[][] = [];
  #indexed = 0;
  /** Images that were looked at. */
  looks = 0;

  constructor(truth: VolumeTruth, actors: Actors, verdict: Verdict, zeroes: Zeroes) {
    this.#truth = truth;
    this.#actors = actors;
    this.#verdict = verdict;
    this.#zeroes = zeroes;
    const { replicas } = truth.config;
    this.#nodes = new Set(replicas.filter(({ mode }) => mode === 'async').map(({ node }) => node));
  }

  /** Whether the replica is asynchronous. */
  judges({ node }: ReplicaTruth): boolean {
    return this.#nodes.has(node);
  }

  /** All holders have lost what no flush had covered: it need not be anywhere from now on. */
  forget(): void {
    const { history, flushed } = this.#truth;
    if (this.#nodes.size === 0) return;
    this.#forgotten.push({ moment: history.moment, flushed: flushed.slice() });
  }

  /** Looks at what the disk of `replica` holds now; without power at what it will hold. */
  look(replica: ReplicaTruth, always = false): void {
    if (!this.judges(replica) || this.#actors.kept === undefined) return;
    const { config } = this.#truth;
    const { disk, node } = replica;
    const kept = this.#actors.kept(config, node, disk.metaOught, disk.side.changes);
    // Where nothing is left of an image nobody says that there is one.
    if (kept === null || (kept.inconsistent && kept.log === 0)) return;
    // Where it has no log it is what it says; one that took over by accepted loss is a member.
    if (kept.log === 0) this.#points.set(node, kept.point);
    else if (!this.#points.has(node)) this.#points.set(node, true);
    if (this.#points.get(node) !== true) return;
    // While a log stands its image stays: LAW-way-back looks after that.
    const known = this.#seen.get(node);
    if (!always && known?.log === kept.log && known.inconsistent === kept.inconsistent) return;
    this.#seen.set(node, kept);
    const runs = kept.log === 0 ? [] : kept.runs;
    this.looks += 1;
    const { media, view, side } = disk;
    const first = this.#judge(replica, imageOf(runs, media, side.media, side.zeroes));
    if (first) this.#judge(replica, imageOf(runs, view, side.view, side.zeroes));
  }

  #judge(replica: ReplicaTruth, image: Int32Array): boolean {
    const { history, spoils, config, record, orphaned } = this.#truth;
    // It took over by accepted loss: what it has is judged like any member's.
    if (record?.members.some(({ node }) => node === replica.node) === true) return true;
    const { invoked, completed, closed } = history;
    let newest = 0;
    // Most sectors show what the one before them shows.
    let before = 0;
    for (let at = 0; at < image.length; at += 1) {
      const stamp = image[at] as number;
      if (stamp === before) continue;
      before = stamp;
      if (this.#isTold(stamp)) newest = Math.max(newest, invoked[stamp] as number);
    }
    this.#index();
    before = 0;
    let told = true;
    let shown = 0;
    for (let at = 0; at < image.length; at += 1) {
      const writes = this.#writes[at];
      if (writes === undefined || orphaned[at] !== Orphan.None) continue;
      const stamp = image[at] as number;
      if (stamp !== before) {
        before = stamp;
        // Which zeroes they are nobody can tell, nor what a disk spoiled.
        told = !spoils.spoiled(stamp) && (stamp === 0 || !this.#zeroes.are(stamp));
        // One that never completes is under way until its client has gone.
        shown =
          stamp === 0 || !told ? 0 : (completed[stamp] as number) || (closed[stamp] as number);
        if (stamp !== 0 && shown === 0) told = false;
      }
      if (!told) continue;
      // What was asked for after everything that the image shows is no part of it.
      for (let k = this.#asked(writes, newest) - 1; k >= 0; k -= 1) {
        const op = writes[k] as number;
        // Of two that were under way at once either may be the later one.
        if (stamp !== 0 && shown > (invoked[op] as number)) break;
        const done = completed[op] as number;
        if (op === stamp || done === 0 || done >= newest) continue;
        if (stamp === 0 && history.zero[op] === 1) continue;
        if (this.#isForgotten(op, at)) continue;
        if (stamp === 0 && this.#zeroed(at, op)) continue;
        const d = { volume: config.name, sector: at, missing: op, shown: stamp };
        this.#verdict.find('LAW-prefix', replica.node, 'prefix.mixed', d);
        return false;
      }
    }
    return true;
  }

  /** Sorts what clients have written since the last look by sector, in the order of invocation. */
  #index(): void {
    const { kind, sector, length, count } = this.#truth.history;
    for (let op = this.#indexed + 1; op <= count; op += 1) {
      if (kind[op] !== Request.Write) continue;
      const first = sector[op] as number;
      for (let at = first; at < first + (length[op] as number); at += 1) {
        const writes = this.#writes[at];
        if (writes === undefined) this.#writes[at] = [op];
        else writes.push(op);
      }
    }
    this.#indexed = count;
  }

  /** How many of `writes`, which are in that order, were asked for before `moment`. */
  #asked(writes: readonly number[], moment: number): number {
    const { invoked } = this.#truth.history;
    let [low, high] = [0, writes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((invoked[writes[middle] as number] as number) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isForgotten(op: number, at: number): boolean {
    const { invoked, completed } = this.#truth.history;
    const { decided } = this.#truth;
    if (decided !== undefined && (completed[op] as number) <= decided.moment) {
      // With what whoever took over had not, it was given up.
      if (decided.content[at] !== op) return true;
    }
    return this.#forgotten.some(({ moment, flushed }) => {
      const before = (completed[op] as number) <= moment;
      return before && (flushed[at] as number) < (invoked[op] as number);
    });
  }

  #isTold(stamp: number): boolean {
    return stamp > 0 && !this.#zeroes.are(stamp) && !this.#truth.spoils.spoiled(stamp);
  }

  /** Whether the sector was ever written with zeroes after `op`, or beside it. */
  #zeroed(at: number, op: number): boolean {
    const { history } = this.#truth;
    return (this.#writes[at] ?? []).some((later) => {
      if (history.zero[later] !== 1) return false;
      const done = history.completed[later] as number;
      return done === 0 || done > (history.invoked[op] as number);
    });
  }
}
