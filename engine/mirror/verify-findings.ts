/**
 * What a verification found: counts, and the first runs of blocks with what each replica has there,
 * who is right, and why. Two copies without checksums do not tell who is right; a disk that did not
 * give its copy does, and so do a dirty bit and a checksum that one of them contradicts. Says
 * nothing that was not seen.
 */
import type { NodeId } from '../core/units.ts';
import type { VerifyFinding, VerifyTally } from '../data/messages.ts';
import type { BlockLook } from './verify-chunk.ts';

/** Runs that a report lists; what is beyond them is only counted. */
export const VERIFY_RUNS_MAX = 256;

const UNREADABLE = 'unreadable';

export class VerifyFindings {
  readonly #own: NodeId;
  readonly #other: NodeId;
  checked = 0;
  #differing = 0;
  #repaired = 0;
  #unreadable = 0;
  #findings: VerifyFinding[] = [];

  constructor(own: NodeId, other: NodeId) {
    this.#own = own;
    this.#other = other;
  }

  /** Begins anew, or behind what others found. */
  begin(found: VerifyTally | undefined): void {
    this.checked = found?.checked ?? 0;
    this.#differing = found?.differing ?? 0;
    this.#repaired = found?.repaired ?? 0;
    this.#unreadable = found?.unreadable ?? 0;
    this.#findings = found?.findings.slice(0, VERIFY_RUNS_MAX) ?? [];
  }

  get tally(): VerifyTally {
    return {
      checked: this.checked,
      differing: this.#differing,
      repaired: this.#repaired,
      unreadable: this.#unreadable,
      findings: this.#findings.slice(),
    };
  }

  /** A block differs. */
  differs(look: BlockLook): void {
    this.#differing += 1;
    const known = look.dirty;
    if (look.right !== null) {
      this.#note(look, 'differs', look.right === 'own' ? this.#own : this.#other, 'checksum');
      return;
    }
    // The peer lacks writes that the own copy has.
    this.#note(look, 'differs', known ? this.#own : 0, known ? 'dirty' : 'no-checksums');
  }

  /** A block could not be read on one side or on both. */
  unreadable(look: BlockLook): void {
    this.#unreadable += 1;
    if (look.lost === 'both-disks') this.#note(look, 'unreadable', 0, 'both-lost');
    else {
      const right = look.lost === 'own-disk' ? this.#other : this.#own;
      this.#note(look, 'unreadable', right, 'medium-error');
    }
  }

  /** The block that was noted last, or one of its run, is the same now. */
  repaired(block: number): void {
    this.#repaired += 1;
    const last = this.#findings.at(-1);
    if (last === undefined || block < last.block || block >= last.block + last.blocks) return;
    this.#findings[this.#findings.length - 1] = { ...last, repaired: last.repaired + 1 };
  }

  /** A map says that the peer, or this replica, lacks writes of these blocks. */
  dirty(block: number, blocks: number, here: boolean): void {
    if (this.#findings.length >= VERIFY_RUNS_MAX) return;
    const [right, why] = here ? ([this.#own, 'dirty'] as const) : ([0, 'other-dirty'] as const);
    this.#findings.push({ block, blocks, what: 'dirty', right, why, repaired: 0, copies: [] });
  }

  #note(
    { block, own, other, lost }: BlockLook,
    what: 'differs' | 'unreadable',
    right: NodeId,
    why: VerifyFinding['why'],
  ): void {
    const ownHolds = lost === 'own-disk' || lost === 'both-disks' ? UNREADABLE : own;
    const otherHolds = lost === 'other-disk' || lost === 'both-disks' ? UNREADABLE : other;
    const last = this.#findings.at(-1);
    const same =
      last !== undefined &&
      last.block + last.blocks === block &&
      last.what === what &&
      last.right === right &&
      last.why === why;
    if (same) {
      this.#findings[this.#findings.length - 1] = { ...last, blocks: last.blocks + 1 };
      return;
    }
    if (this.#findings.length >= VERIFY_RUNS_MAX) return;
    const copies = [
      { node: this.#own, holds: ownHolds },
      { node: this.#other, holds: otherHolds },
    ];
    this.#findings.push({ block, blocks: 1, what, right, why, repaired: 0, copies });
  }
}
