/**
 * The target of a resync: durably worthless before the first overwrite, worth as much as its
 * source when everything is copied, flushed and the generation adopted durably. Its own map keeps
 * its bits until then.
 */
import type { Epoch, Generation } from '../core/units.ts';
import { PAGE_WORDS } from './block-map.ts';
import { adoptGeneration } from './generation.ts';
import type { PeerMessage } from './messages.ts';
import { DiskFlag, keepsBranch } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import type { HeldBack } from './undo.ts';
import type { GivenUp } from './undo-log.ts';

export class ResyncTarget {
  readonly #p: Parts;
  /** Tells a late callback from an earlier attempt. */
  #attempt = 0;
  /** Whose copy it was. */
  #source: Partner | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  message(m: PeerMessage, from: Partner): void {
    if (m.kind === 'sync-start') this.#start(m.epoch, m.generation, from);
    else if (m.kind === 'map-request') this.#map(m.page, from);
    else if (m.kind === 'finish') this.#finish(m, from);
  }

  /** The link is lost: a copy begun stays Inconsistent until another is finished. */
  linkLost(by: Partner): void {
    if (by !== this.#source) return;
    this.#attempt += 1;
    this.#p.points.end();
  }

  #start(epoch: Epoch, generation: Generation, source: Partner): void {
    const { store, state, turn, canary, undo, peers, role } = this.#p;
    const { link } = source;
    if (!link.copyAgreed || epoch !== store.durableEpoch) return;
    this.#p.points.end();
    this.#source = source;
    this.#attempt += 1;
    const attempt = this.#attempt;
    turn.event('mirror.target.start', { epoch, generation: store.block.generation });
    const ready = () => {
      if (attempt !== this.#attempt) return;
      // One epoch: a record that came meanwhile ends what was agreed under the one before.
      const ended = role.busy || !link.copyAgreed || epoch !== store.durableEpoch;
      // The source looks as well: with that bug neither of them does.
      if (ended && !canary.agreedBefore && !canary.readyByOldRecord) return;
      // A person was quicker.
      if (undo.returning && !canary.returnOvertaken) {
        link.send({ kind: 'sync-held', reason: 'returning' });
        return;
      }
      link.mode = Mode.Target;
      this.#p.follower.begun();
      link.send({ kind: 'sync-ready' });
    };
    // RULE-10: not promotable, durably, before the first overwrite.
    if (canary.rule10) {
      const { parents } = store.block;
      adoptGeneration(store.block, generation, parents, source.index, link.peerDisk);
      store.block.flags = 0;
      state.disk = 'Consistent';
      store.persist(ready);
      return;
    }
    const begin = () => {
      if (attempt !== this.#attempt) return;
      state.disk = 'Inconsistent';
      store.block.flags |= DiskFlag.Inconsistent;
      undo.open();
      // What an earlier copy has under way comes before the first write of this one.
      store.persist(() => peers.whenIdle(ready));
    };
    const all = () => {
      if (attempt !== this.#attempt) return;
      if (link.byOrder && !canary.discardByMap) this.#everything(source, begin);
      else begin();
    };
    const held = (reason: HeldBack) => {
      if (attempt === this.#attempt) link.send({ kind: 'sync-held', reason });
    };
    undo.begin(all, held, this.#given(source));
  }

  /**
   * A branch that is given up: the disk may be that of any earlier moment, and what was written
   * before the two parted is in no map. So everything is copied, durably, from the start.
   */
  #everything(partner: Partner, next: () => void): void {
    const { map } = partner;
    const { store, turn, canary } = this.#p;
    turn.reached('mirror.branch.given-up');
    const attempt = this.#attempt;
    // From here on nobody knows any more what was changed here.
    if (!canary.marksAsChanges) partner.padded = -1;
    store.persist(() => {
      if (attempt !== this.#attempt) return;
      for (let page = 0; page < map.pages; page += 1) map.markPage(page);
      store.flushPages(next);
    });
  }

  /** The order by which the image here is a branch that is given up; null where it is none. */
  #given({ link, shared }: Partner): GivenUp | null {
    const discard = this.#p.state.record?.discard;
    // What is lacking of an accepted loss is no branch; an asynchronous replica needs the area.
    if (!link.byOrder || discard === undefined || this.#p.partners.asynchronous) return null;
    const { keeps, order, by } = discard;
    if (by === 'accept-loss') return null;
    return { keeps, shared: Math.max(0, shared), order, by };
  }

  #map(page: number, { map, link }: Partner): void {
    if (!link.following) return;
    const at = map.nextDirtyPage(page);
    if (at < 0) {
      link.send({ kind: 'map', page: map.pages, pages: 0, bits: null });
      return;
    }
    if (!map.isFull(at)) {
      const bits = new Uint32Array(PAGE_WORDS);
      map.copyPage(at, bits);
      link.send({ kind: 'map', page: at, pages: 1, bits });
      return;
    }
    let end = at + 1;
    while (end < map.pages && map.isFull(end)) end += 1;
    link.send({ kind: 'map', page: at, pages: end - at, bits: null });
  }

  #finish(m: PeerMessage & { kind: 'finish' }, source: Partner): void {
    const { store, flushes, log, follower, state, undo, points, canary } = this.#p;
    const { several, asynchronous } = this.#p.partners;
    const { record } = state;
    const { link, map } = source;
    if (link.mode !== Mode.Target || m.epoch !== store.durableEpoch) return;
    const attempt = this.#attempt;
    const still = (next: () => void) => () => {
      if (attempt === this.#attempt) next();
    };
    const adopted = still(() => {
      this.#p.turn.event('mirror.target.end', { generation: m.generation });
      if (asynchronous && link.mode === Mode.Target) points.begin(source);
      link.send({ kind: 'finished', generation: m.generation });
    });
    const adopt = still(() => {
      const { log: kept } = undo;
      const { peerDisk } = link;
      const sealed = this.#p.branch.seal();
      adoptGeneration(store.block, m.generation, m.parents, source.index, peerDisk);
      if (several && record !== null) follower.copied(record, source);
      store.block.flags = asynchronous ? DiskFlag.Point : 0;
      this.#p.unproved.proved();
      // In one update of the superblock: as long as there is no new image, there is the old one; a
      // branch that was given up stays there.
      if (!sealed && !keepsBranch(store.block)) store.block.undo = 0;
      this.#p.state.disk = 'Consistent';
      store.persist(() => {
        undo.ended(kept);
        if (sealed) this.#p.branch.sealed();
        adopted();
      });
    });
    const pages = still(() => store.flushPages(adopt));
    const cleared = still(() => {
      map.clearAll();
      source.padded = 0;
      // Where this replica has peers besides, what is hot is so towards them as well.
      if (log.count === 0 || several) pages();
      else log.clear(pages);
    });
    if (canary.undoDroppedEarly) {
      store.block.undo = 0;
      store.persist(() => {});
    }
    const flush = still(() => flushes.run(cleared));
    if (undo.head?.given) undo.complete(flush);
    else flush();
  }
}
