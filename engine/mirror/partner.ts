/**
 * The other hosts that hold a replica of the volume, and all that this one keeps of each: its link,
 * which blocks may differ from it, whether it must have every write, and how far each write in
 * flight has come there. What belongs to one partner is never taken for another's.
 */
import { invariant } from '../core/invariant.ts';
import type { Generation, NodeId } from '../core/units.ts';
import { BlockMap } from './block-map.ts';
import { BranchWatch } from './branch.ts';
import { blockCount } from './config.ts';
import { Link, Mode } from './link.ts';
import type { Parts } from './parts.ts';
import { Peer } from './request.ts';

export class Partner {
  readonly node: NodeId;
  /** Its position among the partners, from 0; on disk its map stands in the same order. */
  readonly index: number;
  /** Blocks that may differ from its copy. */
  readonly map: BlockMap;
  readonly link: Link;
  readonly branch: BranchWatch;
  /** It must have a write, and make a flush stable, before that completes. */
  required = false;
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
  }

  /** Whether `slot` waits for the answer to its write `number`, on `link` if that is not 0. */
  isSent(slot: number, number: number, link: number): boolean {
    const { slots } = this.#p;
    if (slot < 0 || slot >= slots.count) return false;
    const front = slot < this.write.length;
    if ((front ? this.sequence[slot] : slots.sequence[slot]) !== number) return false;
    if (link !== 0 && (front ? this.sentOn[slot] : slots.link[slot]) !== link) return false;
    return (front ? this.write[slot] : slots.peer[slot]) === Peer.Sent;
  }

  /** The generation that it last shared with this replica: what the map towards it began with. */
  get shared(): Generation {
    return this.#p.store.block.peerGeneration;
  }

  set shared(generation: Generation) {
    this.#p.store.block.peerGeneration = generation;
  }

  /** Dirty blocks that are dirty for a crash only, at most; -1 where nobody counted. */
  get padded(): number {
    return this.#p.store.block.padded;
  }

  set padded(blocks: number) {
    this.#p.store.block.padded = blocks;
  }
}

export class Partners {
  /** In the order of the configuration. */
  readonly all: readonly Partner[];

  constructor(parts: Parts, nodes: readonly NodeId[]) {
    this.all = nodes.map((node, index) => new Partner(parts, node, index));
    invariant(this.all.length > 0, 'a mirror has another replica');
  }

  /** The first of them: of a pair, the other one. */
  get first(): Partner {
    return this.all[0] as Partner;
  }

  at(node: NodeId): Partner | null {
    for (const partner of this.all) if (partner.node === node) return partner;
    return null;
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

  /** Whether one that must have every write cannot be sent any. */
  get missed(): boolean {
    const { all } = this;
    for (let k = 0; k < all.length; k += 1) {
      const { required, link } = all[k] as Partner;
      if (required && !link.mirrored) return true;
    }
    return false;
  }

  /** Blocks that may differ from somebody's, all maps together. */
  get dirty(): number {
    let dirty = 0;
    for (const { map } of this.all) dirty += map.dirty;
    return dirty;
  }

  release(): void {
    for (const partner of this.all) partner.required = false;
  }
}
