/**
 * What a primary has sent on to one asynchronous replica and does not know to be in an image there:
 * every write in the order in which they were issued, so that what has arrived is always a prefix.
 * Each is dirty from the moment it is issued, and stays so until the replica says that a point
 * covers it and this host has it on its own disk too: then both have it for good. Holds no payload.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import { Decision, Flag } from '../data/abi.ts';
import type { Lag } from '../data/messages.ts';
import { lagLimits, shippedMax } from './config.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Kind, Phase } from './request.ts';
import { ShippedWrites } from './shipped.ts';

export class Shipping {
  readonly #p: Parts;
  readonly #partner: Partner;
  /** The writes that no point covers. */
  readonly #writes: ShippedWrites = new ShippedWrites();
  /** What may be under way. */
  #limits: ReturnType<typeof lagLimits>;
  /** What was said last of the file for what memory has no room for: "on", or why there is none. */
  #said = '';
  /** The newest write that is in an image there, that is so here too, and that has come there. */
  #pointed = 0;
  #covered = 0;
  #received = 0;
  /** The number behind which all is sent on. */
  #begun = 0;
  /** A flush is under way, behind which more is clean. */
  #flushing = false;
  /** The replica is asked for nothing; it owes a word while anything is under way. */
  #owes = false;
  /** As a follower: whether the ring has all since the primary began; it has said nothing yet. */
  #follows = false;
  #whole = false;
  #relation = 0;
  /** What was told of the lag last, and when. */
  #told: Lag | null = null;
  #toldAt: Micros = 0;

  constructor(parts: Parts, partner: Partner) {
    this.#p = parts;
    this.#partner = partner;
    this.#limits = lagLimits(parts.config, partner.node, parts.config.spillAwaited !== true);
  }

  /** The backend has a file for what waits, or has none for this reason, '' for none to tell. */
  spill(on: boolean, reason: string): void {
    const { turn, writes, config } = this.#p;
    const { node: peer } = this.#partner;
    this.#limits = lagLimits(config, peer, on);
    const said = on ? 'on' : reason;
    // That a link ended, and its file with it, is no news.
    if (said !== '' && said !== this.#said) {
      if (on) turn.event('mirror.spill.on', { peer });
      else turn.event('mirror.spill.off', { peer, reason });
      this.#said = said;
    }
    writes.roomChanged();
  }

  /** Whether so much is under way that nothing more may be. */
  get full(): boolean {
    return this.#partner.link.mode === Mode.Ship && this.#isMuch;
  }

  get #isMuch(): boolean {
    const { bytes, writes } = this.#limits;
    return this.#writes.bytes >= bytes || this.#writes.count >= writes;
  }

  /** Planted bug overflow-drops-oldest: what is oldest is clean, as if a point covered it. */
  dropOldest(): void {
    while (this.full) this.#clear(this.#writes.first);
  }

  /** How far the replica is behind: what is not in an image there. */
  get lag(): Lag {
    const { turn } = this.#p;
    const { count: writes, bytes, oldest } = this.#writes;
    return { bytes, writes, micros: writes === 0 ? 0 : turn.now - oldest };
  }

  /** Sends the write of `slot` on, the `number`th of its link. The slot is free of it at once. */
  send(slot: number, offset: number, length: number, flags: number, number: number): void {
    const { turn, state, store, meters } = this.#p;
    const { link } = this.#partner;
    link.stream.sends(number);
    if ((flags & Flag.Zero) === 0) meters.sent(length);
    turn.memory.headers.put(slot, state.epoch, number, store.block.generation, slot + 1);
    turn.emit(Decision.PeerWrite, slot, link.id, flags | Flag.Detached, offset, length, 0);
    this.#partner.sentOn[slot] = link.id;
    this.#partner.sequence[slot] = number;
    this.#add(number, offset, length);
    this.#expect();
  }

  /**
   * The primary sends on from here on: followers note what it sends, until they hear of a point.
   */
  begin(): void {
    this.#begun = this.#p.partners.count();
    this.#tellFollowers(0);
  }

  /** The copy to the replica is finished there: it has everything from before {@link begin}. */
  equal(): void {
    // A point may have been told of before: what came since then is not covered.
    const { partners, canary } = this.#p;
    this.#tellFollowers(canary.equalOvertold ? partners.count() : this.#begun);
  }

  #tellFollowers(sequence: number): void {
    const { node } = this.#partner;
    const { all, disks } = this.#p.partners;
    for (const { link } of all) {
      if (link.mode === Mode.Sync) link.send({ kind: 'covered', node, sequence, disks });
    }
  }

  // As a follower of the primary that sends on.

  /** A write came that the asynchronous replica may not have yet; it is dirty towards it. */
  seen(number: number, offset: number, length: number): void {
    if (!this.#follows) return;
    // What both have at last is told later than what the primary knows.
    const { config } = this.#p;
    const { bytes, count } = this.#writes;
    const most = 2 * shippedMax(config, this.#partner.node);
    if (bytes >= 2 * config.lagBytes || count >= most) this.lost();
    else this.#add(number, offset, length);
  }

  /**
   * The primary says how far the replica is. What it says first clears all but what came since it
   * began; the map begins anew with what both have then, durably before a bit of it is cleared.
   */
  told(sequence: number): void {
    if (sequence === 0) {
      this.lost();
      this.#follows = true;
      this.#whole = true;
      return;
    }
    if (!this.#follows) return;
    if (!this.#whole) {
      this.#clear(sequence);
      return;
    }
    this.#whole = false;
    const relation = this.#relation;
    // A far replica is often heard by nobody but the primary, which says what disk it has.
    const disk = this.#p.partners.saidOf(this.#partner.node);
    const clear = (): void => {
      if (relation === this.#relation && this.#follows) this.#onlyRing();
    };
    this.#partner.begins(this.#p.store.block.generation, clear, disk);
  }

  /** Everything is clean but what is in the ring. */
  #onlyRing(): void {
    const { map } = this.#partner;
    map.clearAll();
    this.#partner.padded = 0;
    this.#writes.each((offset, length) => map.markBytes(offset, length));
  }

  /**
   * The replica's word: it has everything up to `number`, in order, whatever became of its disk; or
   * its image has, durably.
   */
  message(kind: 'received' | 'point', number: number): void {
    const { link } = this.#partner;
    const least = kind === 'point' ? this.#pointed : this.#received;
    if (link.mode !== Mode.Ship || number < least || number > link.stream.last) {
      link.drop('garbage');
      return;
    }
    if (this.#owes) link.owed.got();
    this.#received = Math.max(this.#received, number);
    this.#owes = false;
    if (this.#received < link.stream.last) this.#expect();
    if (kind === 'point') this.#pointed = number;
  }

  /**
   * End of a turn: what is in an image there is cleared behind a flush here. What is not on this
   * disk yet might go with its cache, and what is not even written might never be: the two would
   * differ.
   */
  settle(): void {
    const { flushes, canary } = this.#p;
    if (this.#pointed <= this.#covered || this.#flushing) return;
    const upTo = canary.pointOvertakes ? this.#pointed : Math.min(this.#pointed, this.#landed);
    if (upTo <= this.#covered) return;
    const relation = this.#relation;
    const stable = (): void => {
      if (relation !== this.#relation) return;
      this.#flushing = false;
      this.#clear(upTo);
      this.#tellFollowers(upTo);
    };
    this.#flushing = true;
    if (canary.pointUnflushed) stable();
    else flushes.run(stable);
  }

  /** The last write on the link before which this disk has every one. */
  get #landed(): number {
    const { slots } = this.#p;
    const { link, sentOn, sequence } = this.#partner;
    let first = link.stream.last + 1;
    for (let slot = 0; slot < sentOn.length; slot += 1) {
      if (slots.kind[slot] !== Kind.Write || slots.phase[slot] !== Phase.Flying) continue;
      if (slots.local[slot] === 1 || sentOn[slot] !== link.id) continue;
      first = Math.min(first, sequence[slot] as number);
    }
    return first - 1;
  }

  /** End of a turn: control hears how far the replica is behind, once a second at most. */
  tell(): void {
    const { turn, config } = this.#p;
    const on = this.#partner.link.mode === Mode.Ship;
    const before = this.#told;
    if (!on && before === null) return;
    if (on && before !== null) {
      if (turn.now < this.#toldAt + MICROS_PER_S) return;
      if (before.writes === 0 && this.#writes.count === 0) return;
    }
    this.#told = on ? this.lag : null;
    this.#toldAt = turn.now;
    const { node } = this.#partner;
    turn.report({ kind: 'lag', volume: config.volume, peer: node, lag: this.#told });
  }

  /** The link is lost, or used for something else: what was under way stays dirty. */
  lost(): void {
    this.#writes.clear();
    this.#pointed = 0;
    this.#covered = 0;
    this.#received = 0;
    this.#flushing = false;
    this.#owes = false;
    this.#follows = false;
    this.#whole = false;
    this.#relation += 1;
    // Who waited until it had caught up waits no more.
    this.#p.writes.roomChanged();
  }

  #expect(): void {
    if (this.#owes) return;
    this.#owes = true;
    this.#partner.link.owed.expect();
  }

  #add(number: number, offset: number, length: number): void {
    this.#writes.add(number, offset, length, this.#p.turn.now);
  }

  #clear(number: number): void {
    const { canary, writes } = this.#p;
    const { map } = this.#partner;
    this.#covered = Math.max(this.#covered, number);
    this.#writes.forget(number, (block, last) => {
      // A later write to it may not have got there.
      if (last || canary.laterForgotten) map.clear(block);
    });
    writes.roomChanged();
  }
}
