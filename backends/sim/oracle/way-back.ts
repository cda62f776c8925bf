/**
 * LAW-way-back: as long as a replica's metadata name an undo log, returning would give the image
 * that the log began with, sector for sector, now and after a loss of power; a return that is done
 * has given it; and a log ends only with the copy, the return, or the word that it is given up.
 * That of a branch which was given up by order does not end with its copy: it gives that branch by
 * itself until a person drops it. The oracle looks before each write of metadata lands, when power
 * is lost, and at the end of a return.
 */
import type { VolumeConfig } from '../../../engine/core/config.ts';
import type { KeptBranch, WayBack } from '../../../engine/data/messages.ts';
import type { Actors, Kept } from '../actors.ts';
import type { ZeroMarks } from '../zero-marks.ts';
import type { Zeroes } from '../zeroes.ts';
import { NO_PAGE, SavedBlocks } from './saved-blocks.ts';
import type { ReplicaTruth, VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

const BLOCK_SECTORS = 8;

/** An image as it was when its log began. */
interface Begun {
  readonly log: number;
  readonly generation: number;
  /** It is a branch that is given up. */
  readonly given: boolean;
  readonly image: Int32Array;
  /**
   * What reads gave then. It is the same, but after a failed flush, of which a cache may show what
   * no loss of power will leave: then nobody can say which of the two is the image.
   */
  readonly shown: Int32Array;
  /** What returning would put back. */
  readonly saved: SavedBlocks;
  /** The replica said that it is given up. */
  lost: boolean;
  /**
   * The log ended while a copy was under way, with the generation it began with. A copy from a
   * source of that generation ends so too: only what the replica says next tells which it was.
   */
  unsaid: boolean;
}

export class WayBackOracle {
  readonly #truth: VolumeTruth;
  readonly #actors: Actors;
  readonly #verdict: Verdict;
  readonly #zeroes: Zeroes;
  readonly #begun = new Map<ReplicaTruth, Begun>();
  /** Replicas that said last that they are being copied to. */
  readonly #copying = new Set<ReplicaTruth>();
  /** Replicas of whose disks nothing is known: they may have come back with a log. */
  readonly #forgotten = new Set<ReplicaTruth>();
  /** Logs that began, and images that came back. */
  begun = 0;
  returned = 0;

  constructor(truth: VolumeTruth, actors: Actors, verdict: Verdict, zeroes: Zeroes) {
    this.#truth = truth;
    this.#actors = actors;
    this.#verdict = verdict;
    this.#zeroes = zeroes;
  }

  /** Looks at what the disk of `replica` holds now; without power at what it will hold. */
  look(replica: ReplicaTruth): void {
    // Another disk, or what somebody else wrote there: its next start tells what is on it.
    if (replica.disk.metaSpoiled || replica.disk.partSpoiled) this.forget(replica);
    const kept = this.#kept(replica);
    if (kept === null) return;
    const known = this.#begun.get(replica);
    if (known !== undefined && known.log !== kept.log && !known.unsaid) {
      this.#ended(replica, known, kept);
    }
    if (kept.log === 0) {
      this.#forgotten.delete(replica);
      return;
    }
    const last = this.#begun.get(replica);
    const begun = last === undefined || last.unsaid ? this.#begin(replica, kept) : last;
    this.#lookAgain(replica, begun, kept.runs);
    // The copy is done: nothing of a branch may be in its place alone.
    if (!begun.given || kept.inconsistent || kept.generation === begun.generation) return;
    const blocks = kept.runs.reduce((sum, run) => sum + run.blocks, 0);
    if (blocks * BLOCK_SECTORS >= replica.disk.media.length) return;
    const d = { volume: this.#config.name, blocks };
    this.#verdict.find('LAW-way-back', replica.node, 'way-back.branch-partly', d);
  }

  /** Of the image only what may have changed since the last look can differ from it now. */
  #lookAgain(replica: ReplicaTruth, begun: Begun, runs: Kept['runs']): void {
    const blocks = begun.saved.changed(runs, replica.disk.side.changes?.take() ?? null);
    if (blocks?.length === 0) return;
    const { media, view, side } = replica.disk;
    if (blocks === null) {
      this.#compare(replica, begun, imageOf(runs, media, side.media, side.zeroes));
      this.#compare(replica, begun, imageOf(runs, view, side.view, side.zeroes));
      return;
    }
    this.#compareBlocks(replica, begun, blocks, media, side.media);
    this.#compareBlocks(replica, begun, blocks, view, side.view);
  }

  /** The replica tells people what way back there is. */
  told(replica: ReplicaTruth, wayBack: WayBack | null): void {
    const begun = this.#begun.get(replica);
    if (begun !== undefined && wayBack?.state === 'lost') begun.lost = true;
  }

  /** The replica tells people what became of a branch that it keeps. */
  toldBranch(replica: ReplicaTruth, branch: KeptBranch | null): void {
    const begun = this.#begun.get(replica);
    if (begun !== undefined && branch?.state === 'damaged') begun.lost = true;
  }

  /** What the replica says of copies to it, of its return, and of a branch that is dropped. */
  said(replica: ReplicaTruth, kind: string): void {
    const dropped = kind === 'mirror.branch.drop' ? this.#begun.get(replica) : undefined;
    if (dropped !== undefined) dropped.lost = true;
    if (kind === 'mirror.target.start') this.#copying.add(replica);
    else if (kind === 'mirror.return.start') this.#copying.delete(replica);
    else if (kind === 'mirror.return.end') this.#back(replica);
    else if (kind === 'mirror.target.end') {
      this.#copying.delete(replica);
      if (this.#begun.get(replica)?.unsaid === true) this.#begun.delete(replica);
    }
  }

  /** Its core starts: whatever it was at has ended. */
  attaching(replica: ReplicaTruth): void {
    this.#copying.delete(replica);
    if (this.#begun.get(replica)?.unsaid === true) this.#begun.delete(replica);
  }

  /** The replica says that its image is back. */
  #back(replica: ReplicaTruth): void {
    this.returned += 1;
    const begun = this.#begun.get(replica);
    if (begun === undefined) return;
    this.#begun.delete(replica);
    this.#isBack(replica, begun);
  }

  /** Its disk is another one, or is not what it was: nothing is known of an image there. */
  forget(replica: ReplicaTruth): void {
    this.#begun.delete(replica);
    this.#forgotten.add(replica);
  }

  #kept({ node, disk }: ReplicaTruth): Kept | null {
    if (disk.side.media.length === 0 || this.#actors.kept === undefined) return null;
    return this.#actors.kept(this.#config, node, disk.metaOught, disk.side.changes);
  }

  get #config(): VolumeConfig {
    return this.#truth.config;
  }

  /**
   * The image is what the disk holds: a log has nothing yet when metadata name it first. Where the
   * disk came back with one, it is what that gives now.
   */
  #begin(replica: ReplicaTruth, kept: Kept): Begun {
    const { log, generation, given } = kept;
    this.begun += 1;
    const runs = this.#forgotten.delete(replica) ? kept.runs : [];
    const { media, view, places, side } = replica.disk;
    // It is as it is now: only what changes from here on, or is saved, can make a difference.
    side.changes?.take();
    const image = imageOf(runs, media, side.media, side.zeroes).slice();
    const images = { image, shown: imageOf(runs, view, side.view, side.zeroes).slice() };
    const saved = new SavedBlocks(media.length / BLOCK_SECTORS, places.sideAt / BLOCK_SECTORS);
    const begun = { log, generation, given, ...images, saved, lost: false, unsaid: false };
    this.#begun.set(replica, begun);
    return begun;
  }

  #ended(replica: ReplicaTruth, begun: Begun, { inconsistent, generation, point }: Kept): void {
    this.#begun.delete(replica);
    const same = !inconsistent && generation === begun.generation && !point;
    if (same && this.#copying.has(replica)) {
      begun.unsaid = true;
      this.#begun.set(replica, begun);
      return;
    }
    // It says that it is the image again.
    if (same) this.#isBack(replica, begun);
    if (begun.lost || same) return;
    const d = { volume: this.#config.name };
    if (begun.given) this.#verdict.find('LAW-way-back', replica.node, 'way-back.branch-gone', d);
    else if (inconsistent) this.#verdict.find('LAW-way-back', replica.node, 'way-back.gone', d);
  }

  #isBack(replica: ReplicaTruth, begun: Begun): void {
    this.#compare(replica, begun, replica.disk.media);
    this.#compare(replica, begun, replica.disk.view);
  }

  #compare(replica: ReplicaTruth, begun: Begun, now: Int32Array): void {
    for (let at = 0; at < now.length; at += 1) {
      if (!this.#stands(replica, begun, at, now[at] as number)) return;
    }
  }

  #compareBlocks(
    replica: ReplicaTruth,
    begun: Begun,
    blocks: readonly number[],
    data: Int32Array,
    side: Int32Array,
  ): void {
    for (const block of blocks) {
      const page = begun.saved.page(block);
      for (let i = 0; i < BLOCK_SECTORS; i += 1) {
        const at = block * BLOCK_SECTORS + i;
        let stamp = replica.disk.side.zeroes.at(at);
        if (page === undefined) stamp = data[at] as number;
        else if (page !== NO_PAGE) stamp = side[page * BLOCK_SECTORS + i] as number;
        if (!this.#stands(replica, begun, at, stamp)) return;
      }
    }
  }

  /** Whether a sector is as it was, or as good; says so if it is not. */
  #stands(replica: ReplicaTruth, { image, shown }: Begun, at: number, stamp: number): boolean {
    const was = image[at] as number;
    if (stamp === was) return true;
    const seen = shown[at] as number;
    if (stamp === seen || this.#same(stamp, was)) return true;
    if (this.#zeroes.are(stamp) && this.#zeroes.are(seen)) return true;
    const d = { volume: this.#config.name, sector: at, was, is: stamp };
    this.#verdict.find('LAW-way-back', replica.node, 'way-back.differs', d);
    return false;
  }

  /**
   * Zeroes that come back are not told from one another. What the disk spoiled is its own matter,
   * whether it did before the log began or since.
   */
  #same(stamp: number, was: number): boolean {
    const { spoils } = this.#truth;
    if (spoils.spoiled(stamp) || spoils.spoiled(was)) return true;
    return this.#zeroes.are(stamp) && this.#zeroes.are(was);
  }
}

/** What a disk would hold if everything that a log has were put back; `data` itself for nothing. */
export function imageOf(
  runs: Kept['runs'],
  data: Int32Array,
  side: Int32Array,
  zeroes: ZeroMarks,
): Int32Array {
  if (runs.length === 0) return data;
  const image = data.slice();
  // What was saved first is what stays.
  for (let run = runs.length - 1; run >= 0; run -= 1) {
    const { block, blocks, page } = runs[run] as Kept['runs'][number];
    const at = block * BLOCK_SECTORS;
    const count = blocks * BLOCK_SECTORS;
    if (page < 0) zeroes.put(image, at, count);
    else image.set(side.subarray(page * BLOCK_SECTORS, page * BLOCK_SECTORS + count), at);
  }
  return image;
}
