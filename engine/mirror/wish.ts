/**
 * What a primary wishes the in-sync set to become: said once for each epoch, set and reason, and
 * where it leaves somebody out only after everything acknowledged is stable. Decides for nobody:
 * the record that comes is what counts, whatever was wished.
 */
import type { NodeId } from '../core/units.ts';
import type { DataReport } from '../data/messages.ts';
import { Mode } from './mode.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';

/** The report of a wish. */
export type WantReport = DataReport & { kind: 'want' };

export type WantReason = WantReport['reason'];

export class Wishes {
  readonly #p: Parts;
  #want = '';
  /** The wish that waits for its flush, written like {@link #want}. */
  #flushing = '';

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Another record is there: what was wished before is over. */
  reset(): void {
    this.#want = '';
  }

  /** Whether something was wished under the present record. */
  get any(): boolean {
    return this.#want !== '';
  }

  /** This host, and every member that is in step with it. */
  get inStep(): NodeId[] {
    const { state, partners } = this.#p;
    const { all } = partners;
    const inStep = all.filter((each) => each.required && each.link.mode === Mode.Sync);
    // One that took over by accepted loss, and serves no more, is far away as it was before.
    const kept = inStep.filter(({ asynchronous }) => !asynchronous);
    return [...kept.map((each) => each.node), state.node].sort((a, b) => a - b);
  }

  /** The members, and this partner. */
  with(partner: Partner, reason: WantReason, changed: number): void {
    const { state, partners } = this.#p;
    const members = state.record?.members ?? [];
    const named = (node: NodeId): boolean => members.some((m) => m.node === node);
    const nodes = partners.all.map(({ node }) => node);
    const wished = nodes.filter((node) => node === partner.node || named(node));
    const sorted = [...wished, state.node].sort((a, b) => a - b);
    partner.wished = partner.link.peerDisk;
    this.say(sorted, reason, changed, partner);
  }

  /**
   * Wishes to go on with who is in step once everything acknowledged is stable here. RULE-11: from
   * the commit of this wish on, the log holds the members for the only ones that have it; a loss
   * of power between the commit and a later flush would lose what who was left out still has.
   */
  flushed(reason: WantReason, still: () => boolean): void {
    const { state, partners, canary, flushes } = this.#p;
    const { epoch } = state;
    if (state.record?.primary !== state.node || !partners.required || !still()) return;
    const wish = (): void => {
      if (state.epoch === epoch && partners.required && still()) this.say(this.inStep, reason);
    };
    const key = keyOf(epoch, this.inStep, reason);
    // Rule 12 off means that nothing flushes on the way to a resync.
    if (canary.rule11 || canary.rule12) wish();
    else if (key !== this.#flushing && key !== this.#want) {
      this.#flushing = key;
      const flushed = (): void => {
        this.#flushing = '';
        wish();
      };
      // RULE-19: everybody in step flushes, those about to be admitted too.
      if (partners.several && !canary.rule19) flushes.everywhere(flushed);
      else flushes.run(flushed);
    }
  }

  /** `admitted` is who is to be; in a pair the other one, always. */
  say(
    members: readonly NodeId[],
    reason: WantReason,
    changed = 0,
    admitted: Partner | null = null,
  ): void {
    const { state, turn, config, partners } = this.#p;
    const { epoch } = state;
    const key = keyOf(epoch, members, reason);
    if (key === this.#want) return;
    this.#want = key;
    const cause = turn.event('mirror.want', { epoch, members: members.join(' '), reason });
    const { volume } = config;
    const { link = null } = partners.several ? (admitted ?? {}) : partners.first;
    const { peerBoot = 0, peerDisk = 0 } = link ?? {};
    const said = { volume, epoch, members, reason, cause, peerBoot, peerDisk };
    const want: WantReport = { kind: 'want', ...said };
    turn.report(changed === 0 ? want : { ...want, changed });
  }
}

function keyOf(epoch: number, members: readonly NodeId[], reason: WantReason): string {
  return `${epoch} ${members.join(' ')} ${reason}`;
}
