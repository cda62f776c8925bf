/**
 * What a committed order to give a branch up does to the promises of a volume: from the moment in
 * which the side that is kept is named, its content is what the volume holds, and it is judged in
 * full from there. An order that is taken back before that side served leaves every promise as it
 * was. Knows records, disks and the history; nothing of how the engine decides.
 */
import type { Discard, VolumeRecord } from '../../../engine/data/messages.ts';
import type { Zeroes } from '../zeroes.ts';
import { lackOf } from './crash-image.ts';
import type { FlushedOracle } from './flushed.ts';
import type { Promises, RegisterOracle } from './register.ts';
import { Orphan, type ReplicaTruth, type VolumeTruth } from './truth.ts';
import type { Verdict } from './verdict.ts';

/** What became of an order; '' for nothing. */
export type Ordered = '' | 'given' | 'back' | 'lost';

/** What was promised when the other side was named, and by whom. */
interface Before {
  readonly nodes: readonly number[];
  readonly register: Promises;
  readonly flushed: Int32Array;
  readonly open: readonly number[];
  readonly orphaned: Uint8Array;
  readonly decided: VolumeTruth['decided'];
  /** Which of them lost what only their caches had since. */
  readonly lost: Set<number>;
}

export class DecisionOracle {
  readonly #truth: VolumeTruth;
  readonly #register: RegisterOracle;
  readonly #flushed: FlushedOracle;
  readonly #verdict: Verdict;
  readonly #zeroes: Zeroes;
  #before: Before | null = null;
  /** The last order that was taken back, while nobody has given another one. */
  #takenBack: Discard | null = null;
  /** When each order was first heard of, by its number. */
  readonly #given = new Map<number, number>();
  /** When the disk of each node went back last. */
  readonly #wentBack = new Map<number, number>();
  /** The last write that each node acknowledged. */
  readonly #written = new Map<number, number>();

  constructor(
    truth: VolumeTruth,
    register: RegisterOracle,
    flushed: FlushedOracle,
    verdict: Verdict,
    zeroes: Zeroes,
  ) {
    this.#zeroes = zeroes;
    this.#truth = truth;
    this.#register = register;
    this.#flushed = flushed;
    this.#verdict = verdict;
  }

  /**
   * The log went on from `known`; a write was acknowledged last at `acked`. Returns what became of
   * an order: 'given' where its kept side is named, 'back' where who was in sync before is so
   * again, 'lost' where that one has lost power since.
   */
  changed(record: VolumeRecord, known: VolumeRecord | null, acked: number): Ordered {
    if (known === null) return '';
    const { truth } = this;
    const { discard } = record;
    this.#heard(record, known);
    const named = truth.replicas.find(({ node }) => node === record.primary);
    const before = this.#before;
    if (discard !== undefined) {
      const kept = named !== undefined && discard.node !== named.node;
      // Once somebody has gone on without the one that is given up, the order gives up nobody else.
      const first = known.members.some(({ node }) => node === discard.node);
      // Who goes on by accepted loss may be in sync, and have lost its power.
      const anew = !known.members.some(({ node }) => node === named?.node);
      if (kept && first && (anew || discard.taker === named.node)) {
        if (discard.taker !== undefined) this.#isImage(named);
        this.#remember(known, discard.taker !== undefined);
        this.#decide(named, named.disk.view);
        return 'given';
      }
      return '';
    }
    const isMember = (node: number): boolean => record.members.some((m) => m.node === node);
    const { decided } = truth;
    const again = before?.nodes.some(isMember) === true;
    // Who is back without the side that was kept has taken its place again; beside an asynchronous
    // replica it is all there is.
    const filled = decided !== undefined && isMember(decided.kept);
    if (again && !filled && decided !== undefined && acked <= decided.moment) {
      this.#restore(before);
      return before.nodes.every((node) => before.lost.has(node)) ? 'lost' : 'back';
    }
    if (truth.replicas.every(({ node }) => isMember(node) || this.#isLate(node))) {
      if (known.discard !== undefined) this.#carriedOut(record);
      truth.apart = false;
      this.#before = null;
      this.#takenBack = null;
    }
    return '';
  }

  /** What is accepted as lost is what is newest: everything else is there. */
  #isImage(taker: ReplicaTruth): void {
    const { truth } = this;
    const lack = lackOf(truth, this.#zeroes, taker.disk.view);
    if (lack === null) return;
    const d = { volume: truth.config.name, ...lack };
    this.#verdict.find('LAW-flushed', taker.node, 'flushed.taken-without', d);
  }

  /** A replica serves: whoever was named by order has made what it has stable. */
  active(replica: ReplicaTruth): void {
    const { decided } = this.truth;
    if (decided === undefined || decided.stable || decided.kept !== replica.node) return;
    decided.stable = true;
    this.#register.rest(decided.content, decided.moment);
  }

  /** Its cache is gone: what it never said was stable is what its medium has. */
  cacheLost(replica: ReplicaTruth): void {
    const { decided } = this.truth;
    this.#before?.lost.add(replica.node);
    if (decided === undefined || decided.stable || decided.kept !== replica.node) return;
    this.#decide(replica, replica.disk.media);
  }

  /** A write was acknowledged at `replica`. */
  acknowledged(replica: ReplicaTruth, op: number): void {
    this.#written.set(replica.node, op);
  }

  /** Its disk has come back with metadata of before. */
  wentBack({ node }: ReplicaTruth): void {
    this.#wentBack.set(node, this.truth.history.moment);
  }

  /** The replica begins to be overwritten. */
  overwritten({ node }: ReplicaTruth): void {
    // It may have heard of the newest record from its peer.
    const { history, config, record } = this.truth;
    const discard = record?.discard;
    if (discard?.node !== node) return;
    const { order, by, confirmed } = discard;
    const volume = config.name;
    const given = this.#given.get(order) ?? Number.MAX_SAFE_INTEGER;
    // Its disk went back since, and has other data than the order named: whatever happens to those
    // is judged by what they are.
    if ((this.#wentBack.get(node) ?? -1) >= given) return;
    if (!confirmed) {
      this.#find(node, 'acknowledged.order-unconfirmed', { volume, order });
    }
    const write = this.#written.get(node) ?? 0;
    if (by === 'discard-unchanged' && (history.completed[write] as number) > given) {
      this.#find(node, 'acknowledged.order-covers-more', { volume, order, write });
    }
  }

  /** What is said of orders in the log is what somebody said. */
  #heard({ discard, takenBack, primary }: VolumeRecord, known: VolumeRecord): void {
    const { saidBack, config, history } = this.truth;
    const volume = config.name;
    if (takenBack !== undefined && takenBack.order !== known.takenBack?.order) {
      const { order } = takenBack;
      this.#takenBack = takenBack;
      if (!saidBack.has(order)) {
        this.#find(primary, 'acknowledged.order-dropped-unsaid', { volume, order });
      }
    }
    if (discard === undefined || this.#given.has(discard.order)) return;
    const { order, by } = discard;
    this.#given.set(order, history.moment);
    const before = this.#takenBack;
    if (by === 'operator') this.#takenBack = null;
    if (by === 'operator' || before === null) return;
    const data = [before.generation, before.keeps];
    if (!data.includes(discard.generation) || !data.includes(discard.keeps)) return;
    const d = { volume, order, takenBack: before.order };
    this.#find(primary, 'acknowledged.order-repeated', d);
  }

  #find(node: number, code: string, d: { readonly [name: string]: number | string }): void {
    this.#verdict.find('LAW-acknowledged', node, code, d);
  }

  get truth(): VolumeTruth {
    return this.#truth;
  }

  /** Whether the replica is asynchronous: nothing but accepted loss makes a member of it. */
  #isLate(node: number): boolean {
    const { replicas } = this.#truth.config;
    return replicas.some((each) => each.node === node && each.mode === 'async');
  }

  #remember(known: VolumeRecord, byLoss: boolean): void {
    const { flushed, orphaned, decided } = this.#truth;
    const nodes = known.members.map(({ node }) => node);
    // Of two branches either one was led alone; by accepted loss several may be given up at once.
    if (nodes.length === 0 || (nodes.length > 1 && !byLoss)) return;
    this.#before = {
      nodes,
      register: this.#register.promises(),
      flushed: flushed.slice(),
      open: this.#flushed.open,
      orphaned: orphaned.slice(),
      decided,
      lost: new Set(),
    };
  }

  #restore(before: Before): void {
    const { truth } = this;
    this.#register.restore(before.register);
    this.#flushed.restore(before.open);
    truth.flushed.set(before.flushed);
    truth.orphaned.set(before.orphaned);
    if (before.decided === undefined) delete truth.decided;
    else truth.decided = before.decided;
    this.#before = null;
  }

  /** What `kept` has is the volume's from now on. */
  #decide(kept: ReplicaTruth, has: Int32Array): void {
    const { truth } = this;
    const { spoils, orphaned, history } = truth;
    let lost = 0;
    const t = history.tick();
    this.#register.rest(null, t);
    const content = has.map((stamp) => spoils.ought(stamp));
    for (let at = 0; at < content.length; at += 1) {
      const stamp = content[at] as number;
      if (orphaned[at] === Orphan.None && !this.#register.admits(at, stamp)) lost += 1;
      this.#register.decide(at, stamp, t);
    }
    truth.flushed.fill(0);
    this.#flushed.forget();
    orphaned.fill(Orphan.None);
    truth.decided = { moment: t, content, kept: kept.node, stable: false };
    truth.apart = true;
    const d = { volume: truth.config.name, sectors: lost };
    this.#verdict.witness('LAW-acknowledged', kept.node, 'acknowledged.given-up', d);
  }

  /** The other side has all of it: nothing is excused any more. */
  #carriedOut(record: VolumeRecord): void {
    const { spoils, orphaned, history, replicas, flushed } = this.truth;
    const kept = replicas.find(({ node }) => node === record.primary);
    if (kept === undefined) return;
    const { view } = kept.disk;
    for (let at = 0; at < view.length; at += 1) {
      if (orphaned[at] === Orphan.None || this.#register.isBusy(at)) continue;
      this.#register.decide(at, spoils.ought(view[at] as number), history.moment);
      // What a faulty disk made everybody forget is decided as well, flushed or not.
      flushed[at] = 0;
      orphaned[at] = Orphan.None;
    }
  }
}
