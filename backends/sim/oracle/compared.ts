/**
 * LAW-cover, of comparisons: one finds nothing in replicas whose disks have kept their word, misses
 * nothing that differed from its beginning to its end, on whichever node it went on, and what it
 * says it repaired is the same. And of checksums: they accuse no disk that has kept its word. It
 * knows what the disks hold, and nothing of how that is compared.
 */
import type { VerifyReport } from '../../../engine/data/messages.ts';
import type { TimelineEvent } from '../../../engine/timeline/event.ts';
import { Ill } from '../disk-ills.ts';
import { Zeroes } from '../zeroes.ts';
import type { ReplicaTruth, VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

const BLOCK_SECTORS = 8;
/** A report names no more runs; of what is beyond them nothing can be asked. */
const RUNS_MAX = 12;

/** A sector that differed when a comparison began, and what was there. */
interface Apart {
  readonly sector: number;
  readonly left: number;
  readonly right: number;
}

export class ComparedOracle {
  readonly #truth: VolumeTruth;
  readonly #verdict: Verdict;
  readonly #zeroes: Zeroes;
  /** The comparison that began at the first block, 0 while its number is not known, -1 for none. */
  #id = -1;
  #apart: readonly Apart[] = [];

  constructor(truth: VolumeTruth, verdict: Verdict) {
    this.#truth = truth;
    this.#verdict = verdict;
    this.#zeroes = new Zeroes(truth.history, truth.spoils);
  }

  event(replica: ReplicaTruth, { kind, d }: TimelineEvent): void {
    if (kind === 'mirror.verify.repaired') this.#repaired(replica, d['block'] as number);
    if (kind === 'mirror.sums.mismatch') this.#accused(replica, d['block'] as number);
    if (kind !== 'mirror.verify.start' || d['level'] === 'quick' || d['from'] !== 0) return;
    this.#id = 0;
    this.#apart = this.#differing();
  }

  report(replica: ReplicaTruth, report: VerifyReport): void {
    this.#found(replica, report);
    if (report.level === 'quick') return;
    if (this.#id === 0) this.#id = report.id;
    if (report.id !== this.#id || report.state !== 'done') return;
    this.#id = -1;
    this.#missed(replica, report);
    this.#apart = [];
  }

  /** A checksum says that a disk has changed a block: then one must have. */
  #accused(replica: ReplicaTruth, block: number): void {
    const { replicas, config } = this.#truth;
    if (replicas.some(({ disk }) => disk.ills.everStruck)) return;
    const d = { volume: config.name, block };
    this.#verdict.find('LAW-cover', replica.node, 'cover.accused', d);
  }

  /** Who compares replicas whose disks have kept their word finds nothing. */
  #found(replica: ReplicaTruth, { differing, disagreements, findings }: VerifyReport): void {
    if (differing === 0 && disagreements.length === 0) return;
    const { replicas, config } = this.#truth;
    if (replicas.some(({ disk }) => disk.ills.everStruck)) return;
    const block = findings.find(({ what }) => what === 'differs')?.block ?? -1;
    const d = { volume: config.name, block, differing };
    this.#verdict.find('LAW-cover', replica.node, 'cover.compared', d);
  }

  /** What differed all the time is named. */
  #missed(replica: ReplicaTruth, { findings }: VerifyReport): void {
    const { replicas, config } = this.#truth;
    // Reads that lie hide what is there; who names that many may leave some out.
    const lies = replicas.some(({ disk }) => (disk.ills.struck[Ill.StaleRead] as number) > 0);
    if (lies || findings.length >= RUNS_MAX) return;
    const now = new Map(this.#differing().map((apart) => [apart.sector, apart]));
    for (const { sector, left, right } of this.#apart) {
      const still = now.get(sector);
      if (still?.left !== left || still.right !== right) continue;
      const block = Math.floor(sector / BLOCK_SECTORS);
      const named = findings.some((run) => block >= run.block && block < run.block + run.blocks);
      if (named) continue;
      const d = { volume: config.name, block, left, right };
      this.#verdict.find('LAW-cover', replica.node, 'cover.missed', d);
      return;
    }
  }

  /** What a comparison says it repaired is the same here and on the media of the other replica. */
  #repaired(replica: ReplicaTruth, block: number): void {
    const { replicas, config } = this.#truth;
    // Of several one was written to; which, the report does not say.
    if (replicas.length > 2) return;
    if (replicas.some(({ disk }) => disk.ills.any || disk.latent.any)) return;
    for (const other of replicas) {
      if (other === replica) continue;
      for (let at = block * BLOCK_SECTORS; at < (block + 1) * BLOCK_SECTORS; at += 1) {
        const [here, there] = [replica.disk.viewAt(at), other.disk.mediaAt(at)];
        if (this.#same(here, there)) continue;
        const d = { volume: config.name, block, here, there };
        this.#verdict.find('LAW-cover', other.node, 'cover.not-repaired', d);
        return;
      }
    }
  }

  /** Whether the bytes are the same: zeroes are, whoever wrote them. */
  #same(left: number, right: number): boolean {
    const { spoils } = this.#truth;
    if (left === right || spoils.content(left) === spoils.content(right)) return true;
    return this.#zeroes.are(left) && this.#zeroes.are(right);
  }

  #differing(): readonly Apart[] {
    const { replicas, sectors } = this.#truth;
    const [a, b] = replicas;
    // Of several it is not said with which one a comparison was.
    if (a === undefined || b === undefined || replicas.length > 2) return [];
    const found: Apart[] = [];
    const [leftView, rightView] = [a.disk.view, b.disk.view];
    for (let sector = 0; sector < sectors; sector += 1) {
      const [left, right] = [leftView[sector] as number, rightView[sector] as number];
      if (this.#same(left, right)) continue;
      found.push({ sector, left, right });
    }
    return found;
  }
}
