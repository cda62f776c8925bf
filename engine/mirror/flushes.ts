/** Flushes that one part waits for, apart from barriers, here or at peers: each calls back once. */
import { Decision } from '../data/abi.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Through } from './state.ts';

export class Flushes {
  readonly #p: Parts;
  readonly #waiting: Map<number, () => void> = new Map();
  /** Peers that have not answered yet, by token, as bits. */
  readonly #awaited: Map<number, number> = new Map();
  /** Tokens whose local flush has ended. */
  readonly #local: Set<number> = new Set();

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Makes every write that the local disk has taken durable, then calls `done`. */
  run(done: () => void): void {
    const token = this.#p.state.nextToken();
    this.#waiting.set(token, this.#p.turn.carry(done));
    this.#p.turn.emit(Decision.LocalFlush, 0, 0, 0, 0, token, 0);
  }

  /** The same, on every replica that is sent writes too; one that is lost meanwhile is left out. */
  everywhere(done: () => void): void {
    const { partners } = this.#p;
    let awaited = 0;
    const token = this.#p.state.nextToken();
    this.#waiting.set(token, this.#p.turn.carry(done));
    this.#p.turn.emit(Decision.LocalFlush, 0, 0, 0, 0, token, 0);
    for (const { link, index } of partners.all) {
      if (!link.mirrored) continue;
      awaited |= 1 << index;
      link.sendFlush(token);
    }
    this.#awaited.set(token, awaited);
  }

  /** The same here and at one peer, which is left out when it is lost meanwhile. */
  withPeer({ link, index }: Partner, done: () => void): void {
    const token = this.#p.state.nextToken();
    this.#waiting.set(token, this.#p.turn.carry(done));
    this.#awaited.set(token, 1 << index);
    this.#p.turn.emit(Decision.LocalFlush, 0, 0, 0, 0, token, 0);
    link.sendFlush(token);
  }

  /** The same at every peer that must have everything, and not here, where no disk is left. */
  atPeers(done: () => void): void {
    let awaited = 0;
    const token = this.#p.state.nextToken();
    this.#waiting.set(token, this.#p.turn.carry(done));
    this.#local.add(token);
    for (const { link, index, required } of this.#p.partners.all) {
      if (!required) continue;
      awaited |= 1 << index;
      link.sendFlush(token);
    }
    this.#awaited.set(token, awaited);
  }

  /**
   * Leaves nothing behind: everything acknowledged is stable, the maps are durable, no extent is
   * hot. A primary without a disk of its own has no maps. Each step is taken only `still`.
   */
  leaveNothing(still: (next: () => void) => () => void, done: () => void): void {
    const { barrier, store, log, state } = this.#p;
    const stop = still(done);
    const empty = still(() => store.persistPadding(still(() => log.clear(stop))));
    const maps = still(() => store.flushPages(empty));
    barrier.whenStable(state.through === Through.On ? stop : maps);
  }

  /** A LocalFlush ended well. */
  flushed(token: number): void {
    if (!this.#waiting.has(token)) return;
    this.#local.add(token);
    this.#check(token);
  }

  /** A peer's flush ended well; true when it was asked for here. */
  peerFlushed({ index }: Partner, token: number): boolean {
    const awaited = this.#awaited.get(token);
    if (awaited === undefined) return false;
    this.#awaited.set(token, awaited & ~(1 << index));
    this.#check(token);
    return true;
  }

  /** A peer is lost, and with it what it owed. */
  lost(partner: Partner): void {
    for (const token of [...this.#awaited.keys()]) this.peerFlushed(partner, token);
  }

  #check(token: number): void {
    if (!this.#local.has(token) || (this.#awaited.get(token) ?? 0) !== 0) return;
    const done = this.#waiting.get(token) as () => void;
    this.#waiting.delete(token);
    this.#awaited.delete(token);
    this.#local.delete(token);
    done();
  }
}
