/**
 * A branch that was given up by order and is kept (P1 Victim, D9 of the semantics): when the copy
 * that overwrote it is done, its undo log has every block of it, and stays in the side area until a
 * person drops it. It is no way back: the replica is what was kept in its place, and goes on. The
 * superblock says so by a feature, so that a program of before does not write over it.
 */
import { BLOCK_BYTES, type Generation, MICROS_PER_S } from '../core/units.ts';
import { PAGE_BYTES } from '../data/abi.ts';
import type { KeptBranch, LostBranch } from '../data/messages.ts';
import { BlockMap } from './block-map.ts';
import { blockCount } from './config.ts';
import { withBranch } from './features.ts';
import { keepsBranch } from './metadata.ts';
import { Mode } from './mode.ts';
import type { Parts } from './parts.ts';
import { Deadline } from './turn.ts';
import { type GivenUp, type UndoHead, type UndoRun, ZEROES } from './undo-log.ts';

/** What is said of a log whose head cannot be read, or that is not there. */
const NONE = { generation: 0, epoch: 0, given: null } as const;

/** What a disk did not give once it may give later: how long after the last time it is asked. */
const READ_AGAIN = [1, 4, 16].map((seconds) => seconds * MICROS_PER_S);

export class BranchKeeper {
  readonly #p: Parts;
  #branch: KeptBranch | null = null;
  #isNews = false;
  /** The update that gives it up is on its way. */
  #dropping = false;
  /** How often it was read in vain, and the event in which that was told. */
  #vain = 0;
  #vainBy = '';
  /** A copy waits until it is dropped. */
  #holds = false;
  /** The last one that could not be kept. */
  #lost: LostBranch | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Whether the side area is taken by one. */
  get stands(): boolean {
    const { store, canary } = this.#p;
    return (this.#dropping && !canary.branchFreedEarly) || keepsBranch(store.block);
  }

  /** The replica attached, and the side area is taken by a branch: reads all that is said of it. */
  attach(): void {
    this.#vain = 0;
    this.#read();
  }

  /** It is time to read again what could not be read. */
  timer(): void {
    const lost = this.#branch?.state === 'damaged' && keepsBranch(this.#p.store.block);
    if (!lost || this.#dropping || this.#p.state.disk === 'Failed') return;
    this.#p.turn.under(this.#vainBy, () => this.#read());
  }

  #read(): void {
    const { store, undo } = this.#p;
    const { reader } = undo;
    if (reader === null) return;
    const log = store.block.undo;
    const saved = new BlockMap(blockCount(this.#p.config));
    let pages = 0;
    const take = (runs: readonly UndoRun[]) => {
      for (const { block, blocks, page } of runs) {
        saved.markBytes(block * BLOCK_BYTES, blocks * BLOCK_BYTES);
        if (page !== ZEROES) pages += blocks;
      }
    };
    reader.open(log, (opened) => {
      const found = () => {
        if (this.#dropping || store.block.undo !== log) return;
        this.#found(opened?.head ?? null, pages, saved.dirty);
      };
      if (opened === null) found();
      else reader.all(opened, take, found);
    });
  }

  /** A copy may not begin while it stands: only a person can help, and has to be told. */
  holdBack(): void {
    const { turn, canary } = this.#p;
    // One that is being dropped holds nothing up: whoever was refused asks again.
    if (this.#holds || this.#dropping || canary.branchHoldUnsaid) return;
    this.#holds = true;
    this.#isNews = true;
    turn.reached('mirror.branch.holds');
    turn.event('mirror.branch.holds', { generation: this.#branch?.generation ?? 0 });
  }

  /** A branch that is given up can not be kept, or no longer. */
  lose(generation: Generation, given: GivenUp | null, reason: LostBranch['reason']): void {
    if (given === null) return;
    const { keeps, order, by } = given;
    this.#lost = { reason, generation, keeps, order, by };
    this.#isNews = true;
  }

  /** No copy waits for it, or none any more. */
  letGo(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#isNews = true;
  }

  /**
   * The update that is being prepared takes over the copy for which a branch is given up: it names
   * the branch as well, if its log is whole. False when there is nothing to keep.
   */
  seal(): boolean {
    const { undo, store, canary } = this.#p;
    const { generation, epoch, given } = undo.head ?? NONE;
    if (given === null || canary.branchForgotten) return false;
    store.block.features = withBranch(store.block.features, true);
    const usedBytes = undo.payloadBytes;
    this.#branch = { state: 'whole', generation, epoch, ...given, usedBytes };
    this.#lost = null;
    return true;
  }

  /** That update is durable. */
  sealed(): void {
    const { turn } = this.#p;
    const { generation, keeps, usedBytes } = this.#branch as KeptBranch;
    turn.reached('mirror.branch.kept');
    turn.event('mirror.branch.kept', { generation, keeps, usedBytes });
    this.#isNews = true;
  }

  /** A person needs the branch of `generation` no more. */
  drop(generation: Generation, cause: string): void {
    const { store, turn } = this.#p;
    if (cause !== '') turn.cause = cause;
    // Nothing is left of that: it was seen.
    if (this.#lost?.generation === generation && this.#branch?.generation !== generation) {
      this.#lost = null;
      this.#isNews = true;
      return;
    }
    if (this.#dropping || !keepsBranch(store.block) || this.#branch?.generation !== generation) {
      turn.event('mirror.branch.drop-refused', { generation });
      return;
    }
    this.#dropping = true;
    turn.cause = turn.event('mirror.branch.drop', { generation });
    const { block } = store;
    block.features = withBranch(block.features, false);
    block.undo = 0;
    store.persist(() => {
      this.#dropping = false;
      this.#branch = null;
      this.#holds = false;
      this.#isNews = true;
      turn.reached('mirror.branch.dropped');
      turn.cause = turn.event('mirror.branch.dropped', { generation });
      // Whoever was told that no copy can begin asks again.
      for (const { link } of this.#p.partners.all) {
        if (link.mode === Mode.None) link.drop('branch-dropped');
      }
    });
  }

  /** Whether there may be something that control has not heard of. */
  get speaks(): boolean {
    return this.#isNews || this.#holds;
  }

  /** End of a turn: control hears what is new. */
  tell(): void {
    const { turn, config, state } = this.#p;
    if (state.disk === 'UpToDate') this.letGo();
    // What is there, and not read yet, is told of when it is.
    if (!this.#isNews || (this.#branch === null && this.stands)) return;
    this.#isNews = false;
    const branch =
      this.#holds && this.#branch !== null
        ? { ...this.#branch, holds: true as const }
        : this.#branch;
    const said = { kind: 'kept-branch', volume: config.volume, branch } as const;
    turn.report(this.#lost === null ? said : { ...said, lost: this.#lost });
  }

  #found(head: UndoHead | null, pages: number, blocks: number): void {
    const { config, turn } = this.#p;
    const none = { keeps: 0, shared: 0, order: 0, by: 'operator' } as const;
    const { generation, epoch, given } = head ?? NONE;
    const whole = blocks === blockCount(config);
    const state = whole ? 'whole' : 'damaged';
    this.#branch = { state, generation, epoch, ...(given ?? none), usedBytes: pages * PAGE_BYTES };
    this.#isNews = true;
    if (whole) {
      const { keeps, usedBytes } = this.#branch;
      // It was called damaged, and is not.
      if (this.#vain > 0) turn.event('mirror.branch.kept', { generation, keeps, usedBytes });
      return;
    }
    if (this.#vain === 0) {
      turn.reached('mirror.branch.damaged');
      this.#vainBy = turn.event('mirror.branch.damaged', { generation });
    }
    const wait = READ_AGAIN[this.#vain];
    this.#vain += 1;
    if (wait !== undefined) turn.due(Deadline.Branch, turn.now + wait);
  }
}
