/**
 * What a follower among more than two replicas keeps, so that any of them can take over: a write
 * that was under way when the primary died may be on some of them and not on others, and no two of
 * the survivors know which. So whatever was not known stable on every member is dirty towards all
 * others when the relation ends. In a pair there is nobody to differ from, and nothing happens.
 */
import { BLOCK_BYTES, EXTENT_BYTES } from '../core/units.ts';
import type { VolumeRecord } from '../data/messages.ts';
import { APART, startGeneration } from './generation.ts';
import { isNamed, type Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { isProxied } from './state.ts';

export class Follower {
  readonly #p: Parts;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** A relation with a primary begins: nothing of the one before counts in it. */
  begun(): void {
    if (this.#p.partners.several) this.#p.log.rebase();
  }

  /** The relation with `leader` is over, however it ended. */
  ended(leader: Partner): void {
    const { partners, log, canary } = this.#p;
    if (!partners.several) return;
    for (const { shipping } of partners.all) shipping.lost();
    if (!canary.survivorsEqual) for (const each of partners.all) this.#suspect(each, leader);
    log.rebase();
  }

  /** The primary that is followed announced a record: its generation is this replica's too. */
  adopt(record: VolumeRecord): void {
    const { partners, store, canary } = this.#p;
    const proxied = isProxied(record);
    // The primary's own replica has failed. Durable with the record, so before anything in it.
    const left = proxied && !canary.proxyCools ? partners.at(record.primary) : null;
    if (left !== null) left.shared = APART;
    if (partners.several || proxied) startGeneration(store.block, record.generation, record.voided);
  }

  /** It is durable here, in place of the one `before`: what it changes between replicas. */
  follow(before: VolumeRecord | null, record: VolumeRecord, leader: Partner): void {
    const { partners, canary } = this.#p;
    if (!partners.several && !isProxied(record)) return;
    for (const each of partners.all) {
      if (each === leader) continue;
      const [was, is] = [isNamed(before, each.node), isNamed(record, each.node)];
      // RULE-18: what is hot may be missing there, and its write is about to be acknowledged.
      if (was && !is && !canary.rule18) this.#suspect(each, leader);
      // Who was admitted equals the primary, as this replica does.
      if (!was && is) this.#equalTo(each, record);
    }
    leader.link.send({ kind: 'told', epoch: record.epoch });
  }

  /** A copy from `source` is finished here: it and every member have the same. */
  copied(record: VolumeRecord, source: Partner): void {
    for (const each of this.#p.partners.all) {
      if (each !== source && isNamed(record, each.node)) this.#equalTo(each, record);
    }
  }

  /**
   * The map towards it begins anew, with what both have now. Where it is no member when that is
   * durable, too much is dirty, which does no harm.
   */
  #equalTo(each: Partner, { generation, members }: VolumeRecord): void {
    const { state, partners, canary } = this.#p;
    // It is about the disk that was admitted: whoever leads knows it, or it has said so itself.
    const { boot = 0 } = members.find(({ node }) => node === each.node) ?? {};
    const disk = partners.saidOf(each.node) || each.diskIn(boot);
    const clear = (): void => {
      if (!isNamed(state.record, each.node)) return;
      each.map.clearAll();
      each.padded = 0;
    };
    if (canary.clearedFirst) {
      each.isNow(generation, disk);
      clear();
    } else each.begins(generation, clear, disk);
  }

  /**
   * RULE-17: what is written here for the peer of `slot`, or found equal, is dirty towards each
   * replica that the record leaves out. What is equal as well: of a copy of everything nobody knows
   * how the two came to that, and one that is left out may have what was there in between.
   */
  leftOut(slot: number, sequence: number): void {
    const { slots, partners, state, canary } = this.#p;
    if (!partners.several || canary.rule17) return;
    const link = slots.link[slot] as number;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    for (const { link: own, node, map, asynchronous, shipping } of partners.all) {
      if (own.id === link || isNamed(state.record, node)) continue;
      map.markBytes(offset, length);
      if (asynchronous && sequence > 0) shipping.seen(sequence, offset, length);
    }
  }

  /** Marks what may be otherwise at `each`: it stays hot until that is durable. */
  #suspect({ map }: Partner, { link }: Partner): void {
    const end = map.blocks * BLOCK_BYTES;
    this.#p.log.forEachUnstable(link.stable, (extent) => {
      const at = extent * EXTENT_BYTES;
      map.markBytes(at, Math.min(EXTENT_BYTES, end - at));
    });
  }
}
