/**
 * The source of a resync: copies dirty blocks to the target while application I/O goes on, then
 * has the target take over the generation and asks for it to become a member. A block is cleared
 * only by its completed copy, or equal digests, and counts as unstable until the next barrier.
 */
import { BLOCK_BYTES, type Generation, MICROS_PER_S } from '../core/units.ts';
import { Decision, Flag, Status } from '../data/abi.ts';
import { PAGE_BLOCKS } from './block-map.ts';
import { Copied } from './copied.ts';
import { Drain } from './drain.ts';
import { LeftOut } from './left-out.ts';
import type { PeerMessage } from './messages.ts';
import { Mode } from './mode.ts';
import { Pace } from './pace.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Hold } from './range-lock.ts';
import { mediumError } from './repair.ts';
import { Kind, Peer, Phase } from './request.ts';
import { ResyncCompare } from './resync-compare.ts';
import { PIECE_BYTES } from './skip-equal.ts';
import { Deadline } from './turn.ts';

const ZERO_COPY = Flag.Resync | Flag.Zero | Flag.Unmap;

/** How far a resync has come. */
const Stage = { Idle: 0, Flushing: 1, Starting: 2, Copying: 3, Finishing: 4, Proposed: 5 } as const;

export class ResyncSource {
  readonly #p: Parts;
  readonly #first: number;
  readonly #end: number;
  /** How much may be in flight. */
  readonly pace: Pace;
  /** Who is being copied to, or was last. One at a time: two would halve each other's pace. */
  #partner: Partner;
  #stage: number = Stage.Idle;
  /** What ended it, until those who waited for that are told. */
  #freedBy: string | null = null;
  /** The event of its start. */
  #begun = '';
  #cursor = 0;
  #flying = 0;
  /** The bytes of the copies in flight. */
  #bytes = 0;
  #mapComplete = false;
  /** Before it is durable that no other disk fits the map, nothing is copied. */
  #unsaid = false;
  /** How a copy to an asynchronous replica comes to its end, and what it has done. */
  readonly drain: Drain = new Drain();
  #over: Copied | null = null;
  /** Bytes sent, and bytes that were zeroes and cost no payload. */
  #copied = 0;
  #zeroed = 0;
  /** Blocks that were written here alone before the copy began: at least so many. */
  #changed = 0;
  /** The generation in which they were. */
  #changedIn: Generation = 0;
  /** Tells a late callback from an earlier attempt. */
  #attempt = 0;
  /** Blocks that this disk did not give. */
  readonly #left: LeftOut = new LeftOut();
  /** Slots of copies that are being written here too. */
  readonly #proving: Set<number> = new Set();
  /** What is compared before it is sent. */
  readonly compare: ResyncCompare;

  constructor(parts: Parts) {
    const { layout } = parts.turn.memory;
    const { resyncChunk, resyncWindow, resyncLatency, resyncRateMin } = parts.config;
    this.#p = parts;
    this.compare = new ResyncCompare(parts, {
      isOurs: (slot) => this.#isOurs(slot),
      settle: (slot) => this.#settle(slot),
      send: (slot, status, flags) => this.#send(slot, status, flags),
      close: (slot) => this.#close(slot),
    });
    this.#partner = parts.partners.first;
    this.#first = layout.frontSlots + layout.peerSlots;
    // Scattered blocks make small copies: then more of them fill the same window.
    // Two are left for those who put bad blocks right: they may hold ranges that copies wait for.
    const slots = Math.max(1, layout.engineSlots - 2);
    this.#end = this.#first + Math.min(slots, 2 * resyncWindow);
    const copyBytes = Math.min(resyncChunk, layout.slotBytes);
    const options = {
      copyBytes,
      windowBytes: Math.min(slots, resyncWindow) * copyBytes,
      latencyBudget: resyncLatency,
      rateMin: resyncRateMin,
    };
    this.pace = new Pace(options, parts.canary);
  }

  /** Both sides agree that this replica is the source. */
  begin(partner: Partner): void {
    const { flushes, canary } = this.#p;
    this.#partner = partner;
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#stage = Stage.Flushing;
    const flushed = () => {
      if (attempt === this.#attempt && this.#stage === Stage.Flushing) this.#flushed();
    };
    // RULE-12: what was acknowledged is stable here before the target stops being an image.
    if (canary.rule12) flushed();
    else flushes.run(flushed);
  }

  /** The target's part of the conversation; answers why it does not begin, '' otherwise. */
  message(m: PeerMessage, from: Partner): string {
    if (from !== this.#partner) return '';
    if (m.kind === 'sync-held' && this.#stage === Stage.Starting) {
      this.abort(from);
      this.#p.turn.reached('mirror.resync.held');
      return `undo-${m.reason}`;
    }
    if (m.kind === 'sync-ready' && this.#stage === Stage.Starting) this.#agreed(from);
    else if (m.kind === 'map' && this.#stage === Stage.Copying) this.#map(m);
    else if (m.kind === 'finished' && this.#stage === Stage.Finishing) this.#finished(m.generation);
    return '';
  }

  /** Whether blocks are being copied. */
  get copying(): boolean {
    return this.#stage === Stage.Copying;
  }

  /** End of a turn: keeps the window full, and finishes when nothing is left. */
  pump(): void {
    const { slots, barrier, state, turn } = this.#p;
    // A primary that gives up waits for what is in flight, and begins nothing new.
    if (this.#stage !== Stage.Copying || state.demoting || !state.lead || this.#unsaid) return;
    this.pace.judge(turn.now);
    if (this.#partner.asynchronous) this.#judgeEnd();
    for (let slot = this.#first; slot < this.#end && this.#dirty > 0; slot += 1) {
      if (slots.kind[slot] !== Kind.Free) continue;
      const bytes = this.pace.next(this.#bytes, turn.now);
      if (bytes === 0 || !barrier.room(slots.count) || !this.#copyNext(slot, bytes)) break;
    }
    // Nothing in flight would bring the next turn.
    let next = Number.POSITIVE_INFINITY;
    if (this.#flying === 0 && this.pace.waits(turn.now)) next = this.pace.nextAt;
    if (this.drain.shut) next = Math.min(next, this.drain.until);
    const attempt = this.#attempt;
    const settled = this.#over?.settle(this.#p, this.#partner, () => attempt === this.#attempt);
    next = Math.min(next, settled ?? next);
    if (next !== Number.POSITIVE_INFINITY) turn.due(Deadline.Copy, next);
    if (this.#mapComplete && this.#dirty === 0 && this.#flying === 0) {
      turn.under(this.#begun, () => this.#finish());
    }
  }

  /** Dirty blocks that are to be copied yet. */
  get #dirty(): number {
    return this.#partner.map.dirty - (this.#over?.count ?? 0);
  }

  /**
   * Whether writes wait for the last of the copy: for a while, and never for what cannot be read.
   */
  #judgeEnd(): void {
    const { turn, writes } = this.#p;
    const { drain } = this;
    const { shut } = drain;
    const possible = this.#mapComplete && this.#left.none;
    drain.judge(possible ? this.#dirty : Number.POSITIVE_INFINITY, turn.now);
    if (drain.shut && !shut) turn.reached('mirror.resync.drains');
    if (shut && !drain.shut) writes.resume();
  }

  /** The range of a copy is free of writes. */
  granted(slot: number): void {
    if (this.compare.has(slot)) this.compare.ask(this.#partner, slot);
    else this.compare.read(slot, Flag.Zero);
  }

  /** Whether the copy of `slot` belongs to the present link. */
  #isOurs(slot: number): boolean {
    const { link } = this.#partner;
    return link.id === this.#p.slots.link[slot] && link.mode === Mode.Copy;
  }

  /** The local disk has read a copy; `flags` say whether it is all zero. */
  localDone(slot: number, status: number, flags: number): void {
    if (this.#proving.delete(slot)) {
      this.#proved(slot, status);
      return;
    }
    if (this.compare.has(slot)) this.compare.localDone(this.#partner, slot, status, flags);
    else this.#send(slot, status, flags);
  }

  /** Sends what was read to the target. */
  #send(slot: number, status: number, flags: number): void {
    const { slots, role, canary } = this.#p;
    const { link, map } = this.#partner;
    const alone = slots.length[slot] === BLOCK_BYTES;
    const elsewhere = status !== 0 && alone && this.#isElsewhere(slot);
    const lost = status === Status.Differs && alone && !elsewhere;
    if (status !== 0 && mediumError(status) && !lost) this.#notRead(slot);
    else if (status !== 0 && !lost) role.failDisk('read', status);
    if ((status !== 0 && !lost) || !this.#isOurs(slot)) {
      this.#close(slot);
      return;
    }
    const offset = slots.offset[slot] as number;
    const length = slots.length[slot] as number;
    if (canary.clearAtSend) {
      for (let at = offset; at < offset + length; at += BLOCK_BYTES) map.clear(at / BLOCK_BYTES);
    }
    // Zeroes need no payload, and no space at the target.
    const zero = ((flags & Flag.Zero) !== 0 && !lost) || canary.zeroUnsaid;
    slots.flags[slot] = zero ? ZERO_COPY : Flag.Resync;
    if (lost) this.#isLost(slot);
    else this.#p.sums?.adopt(slot);
    link.sendOwn(slot, offset, length, slots.flags[slot] as number);
    if (zero) this.#p.turn.reached('mirror.resync.zeroes');
  }

  /** The target has a copy; where it may be nothing but a shadow here, this disk gets one too. */
  copied(slot: number): void {
    const { slots, unproved, turn } = this.#p;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    const flags = slots.flags[slot] as number;
    if ((flags & Flag.Lost) !== 0 || !unproved.on) {
      this.#settle(slot);
      return;
    }
    // A lost link takes it no more: the slot is the own disk's now.
    slots.peer[slot] = Peer.Acked;
    this.#proving.add(slot);
    turn.reached('mirror.resync.proves');
    turn.emit(Decision.LocalWrite, slot, 0, flags & Flag.Zero, offset, length, 0);
  }

  /** This disk took what it had shown. */
  #proved(slot: number, status: number): void {
    const { role } = this.#p;
    if (status !== 0 && mediumError(status)) this.#notRead(slot);
    else if (status !== 0) role.failDisk('write', status);
    if (status === 0 && this.#isOurs(slot)) this.#settle(slot);
    else this.#close(slot);
  }

  /** A copy is on both: the evidence that clears its blocks. */
  #settle(slot: number): void {
    const { slots, barrier, partners, canary } = this.#p;
    const { map } = this.#partner;
    const [offset, length] = [slots.offset[slot] as number, slots.length[slot] as number];
    const spared = this.compare.has(slot);
    this.drain.copied(length, this.#p.turn.now, spared);
    if (this.#over !== null && !(spared && canary.skipClearsEarly)) this.#over.add(offset, length);
    else
      for (let at = offset; at < offset + length; at += BLOCK_BYTES) {
        map.clear(at / BLOCK_BYTES);
        // RULE-20: between the two ends of the copy, and nobody else.
        if (canary.rule20) for (const each of partners.all) each.map.clear(at / BLOCK_BYTES);
      }
    this.#left.done(offset / BLOCK_BYTES, length / BLOCK_BYTES);
    const stable = canary.copyIsStable || (spared && canary.skipIsStable);
    if (!stable && this.#over === null) barrier.add(offset, length);
    const zero = ((slots.flags[slot] as number) & Flag.Zero) !== 0;
    if (zero) this.#zeroed += length;
    else if (!spared) {
      this.#copied += length;
      this.compare.sent(slot);
    }
    this.#close(slot);
  }

  /** A second has passed: says how far the copy is. */
  progress(): void {
    if (this.#stage !== Stage.Copying) return;
    const { turn } = this.#p;
    this.#left.again();
    const d = { ...this.#done(), dirty: this.#partner.map.dirty };
    turn.under(this.#begun, () => turn.event('mirror.resync.progress', d));
    turn.due(Deadline.Progress, turn.now + MICROS_PER_S);
  }

  /** A copy to an asynchronous replica makes way for one to a replica that is to be a member. */
  makeWay(partner: Partner): void {
    if (this.isFreeFor(partner) || partner.asynchronous || !this.#partner.asynchronous) return;
    this.#p.turn.reached('mirror.resync.makes-way');
    this.#partner.link.drop('makes-way');
  }

  /** Whether a copy to this partner may begin: one to another goes first. */
  isFreeFor(partner: Partner): boolean {
    return this.#stage === Stage.Idle || partner === this.#partner;
  }

  /** End of a turn: where a copy has ended, or was given up, those who waited begin anew. */
  tellFreed(): void {
    const by = this.#freedBy;
    if (by === null) return;
    this.#freedBy = null;
    const { partners, turn } = this.#p;
    if (partners.several) turn.under(by, () => partners.again());
  }

  #ends(): void {
    this.#stage = Stage.Idle;
    this.#freedBy = this.#p.turn.cause;
  }

  /** A new record or handshake takes the place of what was being agreed. */
  abort(partner: Partner): void {
    if (this.#stage === Stage.Idle || partner !== this.#partner) return;
    this.pace.end();
    this.#ends();
    this.#attempt += 1;
    this.#drained();
    this.#over?.end();
    this.#over = null;
  }

  /** What waited for the end of the copy goes on. */
  #drained(): void {
    const { shut } = this.drain;
    this.drain.reset();
    if (shut) this.#p.writes.resume();
  }

  /** The target became a member. */
  ended(partner: Partner): void {
    if (this.#stage !== Stage.Proposed || partner !== this.#partner) return;
    this.#ends();
    this.#over?.end();
    this.#over = null;
    this.#partner.padded = 0;
    this.#p.unproved.proved();
    this.compare.finished(this.#partner);
    this.#p.turn.event('mirror.resync.end', this.#done());
    // A read that needs the peer may ask it from now on.
    this.#p.repair.unpark();
  }

  /** A link is lost: what was not copied stays dirty. */
  linkLost(partner: Partner, link: number): void {
    if (partner !== this.#partner) return;
    const { slots, turn, locks } = this.#p;
    if (this.#stage >= Stage.Copying) {
      this.compare.tell();
      turn.event('mirror.resync.interrupted', { ...this.#done(), dirty: partner.map.dirty });
      turn.reached('mirror.resync.interrupted');
    }
    this.abort(partner);
    turn.due(Deadline.Progress, Number.POSITIVE_INFINITY);
    for (let slot = this.#first; slot < this.#end; slot += 1) {
      if (slots.kind[slot] !== Kind.Copy) continue;
      if (slots.phase[slot] === Phase.Range) this.#close(slot);
      else if (slots.peer[slot] === Peer.Sent && slots.link[slot] === link) {
        this.compare.unanswered(this.#partner, slot);
        // The backend still sends from it: the slot waits for LinkDown, the range does not.
        slots.peer[slot] = Peer.Failing;
        locks.releaseIfHeld(slot);
      }
    }
  }

  /** The backend has let go of every slot that was being sent on `link`. */
  linkGone(link: number): void {
    const { slots, canary } = this.#p;
    if (canary.copySlotLost) return;
    for (let slot = this.#first; slot < this.#end; slot += 1) {
      if (slots.kind[slot] === Kind.Copy && slots.link[slot] === link) {
        if (slots.peer[slot] === Peer.Failing) this.#close(slot);
      }
    }
  }

  #flushed(): void {
    const { state, store } = this.#p;
    this.#stage = Stage.Starting;
    const { generation } = store.block;
    this.#partner.link.ask({ kind: 'sync-start', epoch: state.epoch, generation });
  }

  /**
   * The target is ready, by the record under which this was asked. Where another is being applied
   * here it goes by that one already, and would hear nothing of the end of this copy: when it is
   * applied the two begin anew.
   */
  #agreed(partner: Partner): void {
    const { role, turn, canary } = this.#p;
    if (!role.busy || canary.readyByOldRecord) {
      this.#ready();
      return;
    }
    turn.reached('mirror.resync.record-between');
    this.abort(partner);
  }

  #ready(): void {
    const { turn, state, store, slots, canary } = this.#p;
    const { link, map, node } = this.#partner;
    this.#stage = Stage.Copying;
    this.#cursor = 0;
    this.#copied = 0;
    this.#zeroed = 0;
    this.#mapComplete = false;
    this.#unsaid = false;
    this.#left.forget();
    const { generation } = store.block;
    // An attempt that was cut short has cleared some of them.
    const before = generation === this.#changedIn ? this.#changed : 0;
    this.#changed = Math.max(before, this.#partner.changed);
    this.#changedIn = generation;
    link.mode = Mode.Copy;
    const byMap = canary.mapOfAnother || (canary.discardByMap && link.byOrder);
    const attempt = this.#attempt;
    const said = (): void => {
      if (attempt === this.#attempt) this.#unsaid = false;
    };
    this.#unsaid = this.#partner.copyBegins(byMap, said);
    if (this.#partner.asynchronous) this.#over = new Copied(map);
    this.pace.begin(turn.now, slots.isQuiet(turn.memory.layout.frontSlots, turn.now));
    this.compare.begin(this.#partner);
    const d = { dirty: map.dirty, epoch: state.epoch, target: node };
    this.#begun = turn.cause = turn.event('mirror.resync.start', d);
    turn.due(Deadline.Progress, turn.now + MICROS_PER_S);
    link.ask({ kind: 'map-request', page: 0 });
    // RULE-10: the target is proposed as a member when it is finished, not when it is begun.
    if (this.#p.canary.rule10) this.#p.role.proposeBoth(this.#partner, 0);
  }

  /** What the target knows to differ is copied as well: the union of both maps. */
  #map(m: PeerMessage & { kind: 'map' }): void {
    const { store, canary } = this.#p;
    const { map, link } = this.#partner;
    if (m.pages === 0 || canary.peerMapIgnored) {
      this.#mapComplete = true;
      store.persist(() => {});
      return;
    }
    const next = m.page + m.pages;
    if (next > map.pages || (m.bits !== null && m.pages !== 1)) {
      link.drop('garbage');
      return;
    }
    const { dirty } = map;
    if (m.bits !== null) map.mergePage(m.page, m.bits);
    else for (let page = m.page; page < next; page += 1) map.markPage(page);
    // What only the target names nobody changed here.
    this.#partner.pad(map.dirty - dirty);
    this.#cursor = Math.min(this.#cursor, m.page * PAGE_BLOCKS);
    link.ask({ kind: 'map-request', page: next });
  }

  /** Starts the next copy, of `bytes` at most, in `slot`; false when there is none to start now. */
  #copyNext(slot: number, bytes: number): boolean {
    const { slots, locks, canary, turn } = this.#p;
    const { map, link } = this.#partner;
    if (this.#left.full) return false;
    let block = this.#nextBlock(this.#cursor);
    if (block < 0) {
      // A pass ended. Another begins only when no copy is in flight, so none is made twice.
      if (this.#flying > 0 || this.#cursor === 0) return false;
      this.#cursor = 0;
      block = this.#nextBlock(0);
      if (block < 0) return false;
    }
    let end = block + 1;
    const single = this.#left.isSingle(block);
    const { short } = this.compare.skipper;
    const compares = !single && this.compare.skipper.takes();
    const most = short || compares ? Math.min(bytes, PIECE_BYTES) : bytes;
    const limit = Math.min(map.blocks, block + (single ? 1 : most / BLOCK_BYTES));
    while (end < limit && map.isDirty(end) && this.#joins(end)) end += 1;
    this.#cursor = end;
    const offset = block * BLOCK_BYTES;
    const length = (end - block) * BLOCK_BYTES;
    slots.open(slot, Kind.Copy, offset, length, Flag.Resync | (compares ? Flag.Digest : 0));
    slots.link[slot] = link.id;
    slots.phase[slot] = Phase.Range;
    this.#flying += 1;
    this.#bytes += length;
    this.pace.took(length, turn.now);
    // Under lock: no write may pass between the read here and the write at the target.
    const hold = canary.resyncRace ? Hold.None : Hold.Shared;
    if (locks.acquire(slot, offset, offset + length, hold)) this.granted(slot);
    return true;
  }

  /** The next dirty block from `from` on that is not left out for now; -1 for none. */
  #nextBlock(from: number): number {
    const { map } = this.#partner;
    let block = map.nextDirty(from);
    while (block >= 0 && this.#isLeftOut(block)) block = map.nextDirty(block + 1);
    return block;
  }

  #isLeftOut(block: number): boolean {
    return this.#left.has(block) || this.#over?.has(block) === true;
  }

  /** Whether a block may be copied together with the one before it. */
  #joins(block: number): boolean {
    return !this.#left.isSingle(block) && !this.#isLeftOut(block);
  }

  /** Another member has the one block of `slot`: it is put right here, and copied then. */
  #isElsewhere(slot: number): boolean {
    const { slots, repair, canary } = this.#p;
    return !canary.copyGivesUp && repair.mends(slots.offset[slot] as number, this.#begun);
  }

  /** The disk did not give what was to be copied: the blocks alone, then without the bad one. */
  #notRead(slot: number): void {
    const { slots, turn } = this.#p;
    const first = (slots.offset[slot] as number) / BLOCK_BYTES;
    const count = (slots.length[slot] as number) / BLOCK_BYTES;
    if (count > 1) {
      this.#left.split(first, count);
      this.#cursor = Math.min(this.#cursor, first);
      return;
    }
    turn.reached('mirror.resync.unreadable');
    if (!this.#left.add(first)) return;
    turn.under(this.#begun, () => turn.event('mirror.resync.unreadable', { block: first }));
  }

  /**
   * The block contradicts its checksum, and is dirty: no other copy is known to be right. It goes
   * along as one that is lost, so that a copy of it is no better than this one, and the others are.
   */
  #isLost(slot: number): void {
    const { slots, turn } = this.#p;
    slots.flags[slot] = Flag.Resync | Flag.Lost;
    turn.reached('mirror.sums.lost-copied');
    const block = (slots.offset[slot] as number) / BLOCK_BYTES;
    turn.under(this.#begun, () => turn.event('mirror.sums.lost', { block }));
  }

  #finish(): void {
    const { state, store, canary } = this.#p;
    const { link } = this.#partner;
    if (canary.rule10 && this.#partner.required) {
      link.mode = Mode.Sync;
      this.#stage = Stage.Proposed;
      this.ended(this.#partner);
      return;
    }
    this.#stage = Stage.Finishing;
    this.pace.end();
    const { generation, parents } = store.block;
    const said = { generation, parents, disks: this.#p.partners.disks };
    const finish: PeerMessage = { kind: 'finish', epoch: state.epoch, ...said };
    if (this.#partner.asynchronous) {
      link.ask(finish);
      // Whatever is written from here on comes behind this word, in its order.
      link.mode = Mode.Ship;
      this.#partner.shipping.begin();
      this.#drained();
      return;
    }
    // From here every write needs the target too, so that it is equal when the record names it.
    link.mode = Mode.Adding;
    this.#partner.required = !canary.joiningNotNeeded;
    link.ask(finish);
  }

  #finished(generation: number): void {
    const { store, role } = this.#p;
    if (generation !== store.block.generation) {
      this.#partner.link.drop('garbage');
      return;
    }
    this.#stage = Stage.Proposed;
    this.#partner.isNow(generation);
    if (this.#partner.asynchronous) this.#equal();
    else role.proposeBoth(this.#partner, this.#changed);
  }

  /** It is an image of what this host had when shipping began, once that is stable here too. */
  #equal(): void {
    const attempt = this.#attempt;
    this.#p.flushes.run(() => {
      if (attempt !== this.#attempt) return;
      this.#over?.stable();
      this.#partner.shipping.equal();
      this.ended(this.#partner);
    });
  }

  #done(): { copied: number; zeroed: number } {
    return { copied: this.#copied, zeroed: this.#zeroed };
  }

  #close(slot: number): void {
    const { slots, locks } = this.#p;
    this.#bytes -= slots.length[slot] as number;
    slots.close(slot);
    this.#flying -= 1;
    locks.releaseIfHeld(slot);
  }
}
