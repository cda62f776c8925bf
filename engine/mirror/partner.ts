/**
 * The other hosts that hold a replica of the volume, and all that this one keeps of each: its link,
 * which blocks may differ from it, whether it must have every write, and how far each write in
 * flight has come there. What belongs to one partner is never taken for another's.
 */
import { invariant } from '../core/invariant.ts';
import type { BootId, Generation, NodeId } from '../core/units.ts';
import { Flag } from '../data/abi.ts';
import { isAlive, type LinkState, type VolumeRecord } from '../data/messages.ts';
import { BlockMap } from './block-map.ts';
import { BranchWatch } from './branch.ts';
import type { ReplicaView } from './compare.ts';
import { blockCount } from './config.ts';
import {
  APART,
  diskTag,
  isAbout,
  type Known,
  mapFits,
  NO_DISK,
  setKnown,
  setShared,
} from './generation.ts';
import { Link } from './link.ts';
import type { DiskOf } from './messages.ts';
import type { OtherPartner } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Parts } from './parts.ts';
import { Kind, Peer, Phase } from './request.ts';
import { Shipping } from './shipping.ts';

export class Partner {
  readonly node: NodeId;
  /** Its position among the partners, from 0; on disk its map stands in the same order. */
  readonly index: number;
  /** Blocks that may differ from its copy. */
  readonly map: BlockMap;
  readonly link: Link;
  readonly branch: BranchWatch;
  /** Its replica is asynchronous: no record names it, and nothing waits for it. */
  readonly asynchronous: boolean;
  readonly shipping: Shipping;
  /** It must have a write, and make a flush stable, before that completes. */
  required = false;
  /** The disk that was wished for last: {@link diskTag}. */
  wished: number = NO_DISK;
  /** Blocks that stood elsewhere than in their place when it flushed last. */
  moved = 0;
  /** It leaves the volume, or gets another disk: nothing is mirrored there, nor copied. */
  leaving = false;
  /** RULE-18: it has said that it has the present record durably. Always true in a pair. */
  told = true;
  /** Of each front-end write, by slot: how far it is there, on which link, and its number. */
  readonly write: Uint8Array;
  readonly sentOn: Int32Array;
  readonly sequence: Float64Array;
  readonly #p: Parts;

  constructor(parts: Parts, node: NodeId, index: number) {
    const { frontSlots } = parts.turn.memory.layout;
    this.#p = parts;
    this.node = node;
    this.index = index;
    this.map = new BlockMap(blockCount(parts.config), parts.canary);
    this.write = new Uint8Array(frontSlots);
    this.sentOn = new Int32Array(frontSlots);
    this.sequence = new Float64Array(frontSlots);
    this.link = new Link(parts, this);
    this.branch = new BranchWatch(parts, this);
    this.asynchronous = parts.config.asyncNodes?.includes(node) === true;
    this.shipping = new Shipping(parts, this);
  }

  /** Lets it go, or may have it again. */
  part(leaving: boolean): void {
    if (leaving === this.leaving) return;
    this.leaving = leaving;
    if (leaving) this.link.drop('leaves');
    else this.link.again();
  }

  /** Whether `slot` waits for the answer to its write `number`, on `link` if that is not 0. */
  isSent(slot: number, number: number, link: number): boolean {
    const { slots } = this.#p;
    if (slot < 0 || slot >= slots.count) return false;
    const front = slot < this.write.length;
    // A question for a digest is no write.
    if (!front && this.#asks(slot)) return false;
    if ((front ? this.sequence[slot] : slots.sequence[slot]) !== number) return false;
    if (link !== 0 && (front ? this.sentOn[slot] : slots.link[slot]) !== link) return false;
    return (front ? this.write[slot] : slots.peer[slot]) === Peer.Sent;
  }

  /** The last write on its link before which none is in flight any more. */
  get covered(): number {
    const { slots } = this.#p;
    let first = this.link.stream.last + 1;
    for (let slot = 0; slot < slots.count; slot += 1) {
      const kind = slots.kind[slot] as number;
      const flying = slots.phase[slot] === Phase.Flying;
      if (kind === Kind.Write && flying && this.sentOn[slot] === this.link.id) {
        // What is sent on is in flight as long as anybody else has not got it.
        const sent = this.write[slot] !== Peer.None || this.link.mode === Mode.Ship;
        if (sent) first = Math.min(first, this.sequence[slot] as number);
      } else if (slots.peer[slot] === Peer.Sent && slots.link[slot] === this.link.id) {
        // A question for a digest counts among reads.
        const own = (kind === Kind.Copy && !this.#asks(slot)) || kind === Kind.Verify;
        if (own) first = Math.min(first, slots.sequence[slot] as number);
      }
    }
    return first - 1;
  }

  /** Whether a copy asks what the partner has, and has sent nothing. */
  #asks(slot: number): boolean {
    return ((this.#p.slots.flags[slot] as number) & Flag.Digest) !== 0;
  }

  /** The generation that it last shared with this replica: what the map towards it began with. */
  get shared(): Generation {
    const { block } = this.#p.store;
    return this.index === 0 ? block.peerGeneration : this.#further.shared;
  }

  set shared(generation: Generation) {
    setShared(this.#p.store.block, this.index, generation);
  }

  /** What its map is of, as it counts at a handshake. */
  get known(): Known {
    return { shared: this.shared, about: this.#p.canary.diskUnchecked ? 0 : this.#disk };
  }

  /** Whether the two maps together name all that it lacks: each is of the disk that there is. */
  fits(view: ReplicaView): boolean {
    const { store, canary } = this.#p;
    if (!mapFits(store.block, this.known, view)) return false;
    return canary.diskUnchecked || isAbout(view.about ?? 0, diskTag(store.block.device));
  }

  /** Whether it is noted that the map is of this disk. */
  isOf(disk: number): boolean {
    return disk === this.#disk;
  }

  get #disk(): number {
    return this.index === 0 ? this.#p.store.block.peerDisk : this.#further.disk;
  }

  /** The map is of the disk that is there now, and of this generation; not durable yet. */
  isNow(generation: Generation, disk: number = this.link.peerDisk): void {
    setKnown(this.#p.store.block, this.index, { shared: generation, about: disk });
  }

  /**
   * Whether the log may still admit another disk of that node than the one at the other end of the
   * link. Nothing is copied to this one before a record says: in step, it would stand for that one,
   * and what completes with it be on no member.
   */
  get isOpen(): boolean {
    const { wished, required, link } = this;
    return required && wished !== link.peerDisk && !this.#p.canary.otherDiskAdmitted;
  }

  /** Whether the record names what is at the other end of the link: that disk, in that boot. */
  isIn({ members }: VolumeRecord): boolean {
    const { peerBoot, peerDisk } = this.link;
    const member = members.find(({ node }) => node === this.node);
    const other = this.#p.canary.otherDiskAdmitted;
    return isAlive(member, peerBoot, other ? 0 : peerDisk);
  }

  /** The disk that the node has in this boot, as it says on its link; {@link NO_DISK} unheard. */
  diskIn(boot: BootId): number {
    const { id, peerBoot, peerDisk } = this.link;
    return id !== 0 && peerBoot === boot ? peerDisk : NO_DISK;
  }

  /**
   * The map towards it begins anew with `generation`; `done` is called when that is durable. Not
   * a bit may be cleared before: a disk that comes back would fit a map which names too little.
   */
  begins(generation: Generation, done: () => void, disk: number = this.link.peerDisk): void {
    this.isNow(generation, disk);
    this.#p.store.persist(done);
  }

  /**
   * It lacks more than the map remembers: all is dirty. From now on the map is of the disk that is
   * there now, and fits none that comes back; `done` as for {@link begins}.
   */
  everything(done: () => void): void {
    const { turn, canary } = this.#p;
    if (!canary.apartUnsaid) this.begins(APART, done);
    const { dirty } = this.map;
    turn.reached('mirror.resync.everything');
    for (let page = 0; page < this.map.pages; page += 1) this.map.markPage(page);
    this.pad(this.map.dirty - dirty);
  }

  /**
   * A copy to it begins, of what the map names, or, where that does not fit and `byMap` does not
   * say otherwise, of everything. Whether the map is durably of this disk only as `said` is called.
   */
  copyBegins(byMap: boolean, said: () => void): boolean {
    // The target's data are older than anything that the map remembers: all of it is copied.
    if (!this.link.mapFits && !byMap) {
      this.everything(said);
      return !this.#p.canary.apartUnsaid;
    }
    if (this.isOf(this.link.peerDisk)) return false;
    this.begins(this.shared, said);
    return true;
  }

  /** Dirty blocks that are nobody's change, at most; -1 where nobody counted. */
  get padded(): number {
    const { block } = this.#p.store;
    return this.index === 0 ? block.padded : this.#further.padded;
  }

  set padded(blocks: number) {
    if (this.index === 0) this.#p.store.block.padded = blocks;
    else this.#further.padded = blocks;
  }

  get #further(): OtherPartner {
    return this.#p.store.block.others[this.index - 1] as OtherPartner;
  }

  /** Blocks that may differ from its copy: all, where the two have nothing in common. */
  get differing(): number {
    return this.shared === APART ? this.map.blocks : this.map.dirty;
  }

  /** Blocks that somebody changed here, at least: those that are dirty for no other reason. */
  get changed(): number {
    return this.padded < 0 ? 0 : Math.max(0, this.map.dirty - this.padded);
  }

  /** So many blocks more, at most, are dirty and nobody's change. */
  pad(blocks: number): void {
    if (blocks === 0 || this.padded < 0 || this.#p.canary.marksAsChanges) return;
    this.padded += blocks;
    this.#p.store.padding();
  }
}

/** Whether a record names the node a member. */
export function isNamed(record: VolumeRecord | null, node: NodeId): boolean {
  return record?.members.some((m) => m.node === node) === true;
}

export class Partners {
  /** In the order of the configuration. */
  readonly all: readonly Partner[];
  /** Those whose replicas are asynchronous; and whether the one here is. */
  readonly shipped: readonly Partner[];
  readonly asynchronous: boolean;
  readonly #untold: boolean;
  #writes = 0;

  constructor(parts: Parts, nodes: readonly NodeId[]) {
    // Pushed one by one: `map` makes another kind of array once it is optimized, and whatever was
    // compiled for the first kind would be compiled again.
    const all: Partner[] = [];
    for (const node of nodes) all.push(new Partner(parts, node, all.length));
    this.all = all;
    invariant(this.all.length > 0, 'a mirror has another replica');
    this.shipped = this.all.filter(({ asynchronous }) => asynchronous);
    this.asynchronous = parts.config.asyncNodes?.includes(parts.state.node) === true;
    this.#untold = parts.canary.disksUntold;
  }

  /** Counts the writes that are sent, whoever to. */
  count(): number {
    this.#writes += 1;
    return this.#writes;
  }

  /** Whether there are more than two replicas: then a peer has peers of its own. */
  get several(): boolean {
    return this.all.length > 1;
  }

  /** The first of them: of a pair, the other one. */
  get first(): Partner {
    return this.all[0] as Partner;
  }

  /** Which disks the others have, as they say on links that are up. */
  get disks(): readonly DiskOf[] {
    const heard = this.all.filter(({ link: { id, peerDisk } }) => {
      return id !== 0 && peerDisk !== 0 && peerDisk !== NO_DISK && !this.#untold;
    });
    return heard.map(({ node, link }) => ({ node, disk: link.peerDisk }));
  }

  /** The disk of a node as the primary that is followed says it; 0 where it says nothing. */
  saidOf(node: NodeId): number {
    const { disks = [] } = this.leader?.link ?? {};
    return disks.find((each) => each.node === node)?.disk ?? 0;
  }

  at(node: NodeId): Partner | null {
    for (const partner of this.all) if (partner.node === node) return partner;
    return null;
  }

  /**
   * The primary says how far an asynchronous replica is; false where this is none: the map towards
   * a synchronous one begins anew with a finished copy and nothing else.
   */
  told(node: NodeId, sequence: number): boolean {
    const partner = this.at(node);
    if (partner?.asynchronous !== true) return false;
    partner.shipping.told(sequence);
    return true;
  }

  // What each write asks walks by index: an iterator each would be garbage each.

  /** Whose link has this incarnation now. */
  on(link: number): Partner | null {
    const { all } = this;
    for (let k = 0; k < all.length; k += 1) {
      if ((all[k] as Partner).link.id === link) return all[k] as Partner;
    }
    return null;
  }

  /** The primary that this host follows, or is copied to by. */
  get leader(): Partner | null {
    for (const partner of this.all) if (partner.link.following) return partner;
    return null;
  }

  /** One that has everything and may be asked for it. */
  get inStep(): Partner | null {
    for (const partner of this.all) if (partner.link.mode === Mode.Sync) return partner;
    return null;
  }

  /**
   * What links carry, in one word: of the primary that is followed, else the least of all. Asked in
   * every turn, so it makes nothing.
   */
  get state(): LinkState {
    if (!this.several) return this.first.link.state;
    const { leader } = this;
    if (leader !== null) return leader.link.state;
    let worst: LinkState = 'Connected';
    for (const { link } of this.all) {
      if (link.state === 'SyncSource') return 'SyncSource';
      if (link.state === 'Refused' || worst === 'Connected') worst = link.state;
    }
    return worst;
  }

  /** Whether writes go to any of them as well. */
  get mirrored(): boolean {
    const { all } = this;
    for (let k = 0; k < all.length; k += 1) if ((all[k] as Partner).link.mirrored) return true;
    return false;
  }

  /** Whether any of them must have every write. */
  get required(): boolean {
    for (const partner of this.all) if (partner.required) return true;
    return false;
  }

  /** Whether one that must have every write cannot be sent any, or not in this epoch yet. */
  get missed(): boolean {
    const { all } = this;
    for (let k = 0; k < all.length; k += 1) {
      const { required, told, link } = all[k] as Partner;
      if (required && !(told && link.mirrored)) return true;
    }
    return false;
  }

  /** Whether an asynchronous replica is a member, as after it took over by accepted loss. */
  get late(): boolean {
    return this.shipped.some(({ required }) => required);
  }

  /**
   * Whether extents go cold behind barriers only. Among several an asynchronous replica keeps its
   * own hot until it hears of one (RULE-15): of a primary that is alone and goes on to other
   * extents without that it would have to make more hot than there is room for, and the word that
   * lets it would come behind what waits.
   */
  get closes(): boolean {
    if (this.mirrored) return true;
    const { shipped } = this;
    for (let k = 0; k < shipped.length && this.several; k += 1) {
      if ((shipped[k] as Partner).link.mode === Mode.Ship) return true;
    }
    return false;
  }

  /** Whether writes wait until an asynchronous replica has caught up with some. */
  get lags(): boolean {
    const { shipped } = this;
    for (let k = 0; k < shipped.length; k += 1) {
      if ((shipped[k] as Partner).shipping.full) return true;
    }
    return false;
  }

  /** Blocks that may differ from somebody's, all maps together. */
  get dirty(): number {
    let dirty = 0;
    for (const { map } of this.all) dirty += map.dirty;
    return dirty;
  }

  /** What stood in the way of handshakes may be gone. */
  again(): void {
    for (const { link } of this.all) link.again();
  }

  release(): void {
    for (const partner of this.all) partner.required = false;
  }
}
