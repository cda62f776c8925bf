/**
 * The quick comparison: what the metadata of two replicas in step say of each other, without
 * reading data. In step both have the same epoch and generation, both maps are empty, and as many
 * writes have arrived as were sent. The question goes down the link behind the writes, so the
 * counts are of one moment. What is said in the midst of a change is asked again, and a
 * disagreement counts when two looks in a row show the very same.
 */
import { samePlain } from '../core/plain.ts';
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import type { VerifyDisagreement } from '../data/messages.ts';
import type { Link } from './link.ts';
import { FACTS_RUNS_MAX, type PeerMessage, type ReplicaFacts } from './messages.ts';
import type { Partner } from './partner.ts';
import type { Parts } from './parts.ts';
import { Deadline } from './turn.ts';

/** Between two looks. */
const LOOK_EVERY: Micros = MICROS_PER_S / 5;

/**
 * An answer from memory says nothing of the peer's disk, but the link takes it for a sign of life:
 * a peer that does not settle is asked more and more seldom, until its silence is noticed.
 */
const SELDOM = 4;

/** What two looks came to. */
export interface QuickVerdict {
  readonly disagreements: readonly VerifyDisagreement[];
  /** Runs of blocks that one of the two has dirty; `here` for the own one. */
  readonly dirty: readonly {
    readonly block: number;
    readonly blocks: number;
    readonly here: boolean;
  }[];
}

export class QuickCheck {
  readonly #p: Parts;
  #token = 0;
  /** Whose peer was asked. */
  #link: Link | null = null;
  #asked = false;
  #nextAt: Micros = 0;
  #pause: Micros = LOOK_EVERY;
  /** Writes sent when the question was. */
  #sent = 0;
  /** What the peer answered to the last question, null while it has not. */
  #answer: ReplicaFacts | null = null;
  /** The verdict of the look before. */
  #before: QuickVerdict | null = null;

  constructor(parts: Parts) {
    this.#p = parts;
  }

  /** Another comparison begins. */
  begin(): void {
    this.#asked = false;
    this.#answer = null;
    this.#before = null;
    this.#nextAt = 0;
    this.#pause = LOOK_EVERY;
  }

  /** The primary: asks when it is time, and says what came of it; null while nothing did. */
  look(partner: Partner): QuickVerdict | null {
    const { turn, canary, config } = this.#p;
    const { link } = partner;
    const answer = this.#answer;
    if (answer !== null) {
      this.#answer = null;
      this.#asked = false;
      const own = { ...this.#facts(partner), writes: this.#sent };
      const settled = own.settled && answer.settled;
      this.#pause = settled ? LOOK_EVERY : Math.min(2 * this.#pause, SELDOM * config.peerTimeout);
      this.#nextAt = turn.now + this.#pause;
      if (!settled) turn.reached('mirror.verify.unsettled');
      if (settled || canary.quickOnce) {
        const verdict = this.#judge(own, answer, partner);
        const sure = verdict.disagreements.length === 0 || samePlain(verdict, this.#before);
        if (sure || canary.quickOnce) return verdict;
        this.#before = verdict;
      }
    }
    if (this.#asked) return null;
    if (turn.now < this.#nextAt) {
      turn.due(Deadline.Verify, this.#nextAt);
      return null;
    }
    this.#asked = true;
    this.#link = link;
    this.#token += 1;
    this.#sent = link.stream.sent;
    link.ask({ kind: 'facts-ask', token: this.#token });
    return null;
  }

  /** The peer asks, or answers. */
  message(m: PeerMessage, link: Link): void {
    if (m.kind === 'facts-ask') {
      const { leader } = this.#p.partners;
      if (leader === null || leader.link !== link) return;
      const facts = { ...this.#facts(leader), writes: link.stream.received };
      link.send({ kind: 'facts', token: m.token, facts });
    } else if (m.kind === 'facts' && this.#asked && m.token === this.#token) {
      this.#answer = m.facts;
    }
  }

  /** The answer does not come any more. */
  linkLost(link: Link): void {
    if (link !== this.#link) return;
    this.#asked = false;
    this.#answer = null;
    this.#before = null;
  }

  #facts({ map }: Partner): Omit<ReplicaFacts, 'writes'> {
    const { state, store, role } = this.#p;
    const { record } = state;
    const runs: { block: number; blocks: number }[] = [];
    for (let block = map.nextDirty(0); block >= 0; block = map.nextDirty(block + 1)) {
      const last = runs.at(-1);
      if (last !== undefined && last.block + last.blocks === block) last.blocks += 1;
      else if (runs.length < FACTS_RUNS_MAX) runs.push({ block, blocks: 1 });
      else break;
    }
    return {
      epoch: store.durableEpoch,
      generation: store.block.generation,
      disk: state.disk,
      settled: !role.busy && record !== null && store.durableEpoch >= record.epoch,
      dirty: map.dirty,
      map: map.digest(),
      runs,
    };
  }

  #judge(own: ReplicaFacts, other: ReplicaFacts, { node }: Partner): QuickVerdict {
    const { state } = this.#p;
    const disagreements: VerifyDisagreement[] = [];
    const note = (what: VerifyDisagreement['what'], here: string, there: string): void => {
      const says = [
        { node: state.node, value: here },
        { node, value: there },
      ];
      disagreements.push({ what, says });
    };
    const numbers = ['epoch', 'generation', 'writes'] as const;
    for (const what of numbers) {
      if (own[what] !== other[what]) note(what, String(own[what]), String(other[what]));
    }
    if (own.disk !== 'UpToDate' || other.disk !== 'UpToDate') note('disk', own.disk, other.disk);
    // In step, whoever has a dirty block believes that the other one lacks it.
    const clean = own.dirty === 0 && other.dirty === 0 && own.map === other.map;
    if (!clean) note('map', `${own.dirty}`, `${other.dirty}`);
    const dirty = [
      ...own.runs.map((run) => ({ ...run, here: true })),
      ...other.runs.map((run) => ({ ...run, here: false })),
    ];
    return { disagreements, dirty };
  }
}
