/**
 * Online verification (REQ-M10): while applications go on, the primary compares its copy of the
 * volume with the other one, chunk by chunk. A chunk that differs is looked at again block by
 * block, so what is reported is each block that did differ with no write in flight over it. Nobody
 * can tell from two copies alone which one is right; the primary's is the one that clients read and
 * write, so where an order says so, it is written over the other. This part holds the order, the
 * cursor and the pace; verify-chunk.ts has the chunk in hand, verify-quick.ts the comparison of
 * metadata.
 */
import { BLOCK_BYTES, MICROS_PER_S, type Micros } from '../core/units.ts';
import { Flag } from '../data/abi.ts';
import type { VerifyDisagreement, VerifyOrder, VerifyReport } from '../data/messages.ts';
import type { Parts } from './parts.ts';
import { Through } from './state.ts';
import { Deadline } from './turn.ts';
import { type BlockLook, type ChunkOutcome, VerifyChunk } from './verify-chunk.ts';
import { VerifyFindings } from './verify-findings.ts';
import { QuickCheck } from './verify-quick.ts';

/** Most that is compared at once: a client's write over it waits so long. */
const CHUNK_BYTES = 256 * 1024;

/** While clients are there, it rests so many times as long as the chunk before took, */
const REST = 2;
/** but never longer than this: it comes to its end under any load. */
const REST_MAX: Micros = 200_000;

export class Verify implements ChunkOutcome {
  readonly #p: Parts;
  readonly #chunk: VerifyChunk;
  readonly #quick: QuickCheck;
  readonly #findings: VerifyFindings;
  readonly #chunkBlocks: number;
  #order: VerifyOrder | null = null;
  /** The event in which it began. */
  #begun = '';
  #state: VerifyReport['state'] = 'done';
  /** The next block of the pass. */
  #cursor = 0;
  /** Blocks of a chunk that differed, or could not be read whole, to be looked at alone. */
  #alone: number[] = [];
  #disagreements: readonly VerifyDisagreement[] = [];
  #beganAt: Micros = 0;
  /** Requests of clients admitted when the chunk was begun. */
  #admitted = 0;
  /** When the next chunk may begin, and when a report is due. */
  #nextAt: Micros = 0;
  #reportAt: Micros = 0;

  constructor(parts: Parts) {
    this.#p = parts;
    this.#chunk = new VerifyChunk(parts, this);
    this.#quick = new QuickCheck(parts);
    this.#findings = new VerifyFindings(parts.state.node, parts.partners.first.node);
    const bytes = Math.min(parts.turn.memory.layout.slotBytes, CHUNK_BYTES);
    this.#chunkBlocks = Math.floor(bytes / BLOCK_BYTES);
  }

  /** The slot in hand, and what becomes of it. */
  get chunk(): VerifyChunk {
    return this.#chunk;
  }

  get #blocks(): number {
    return this.#p.partners.first.map.blocks;
  }

  /** What the metadata of both say. */
  get quick(): QuickCheck {
    return this.#quick;
  }

  /** Whether people want anything verified. */
  get ordered(): boolean {
    return this.#order !== null;
  }

  /** What people want verified now, null for nothing; an order that is known changes nothing. */
  onOrder(order: VerifyOrder | null, cause: string): void {
    const { turn } = this.#p;
    if (order?.id === this.#order?.id) return;
    turn.cause = cause;
    if (this.#order !== null) this.#finish('stopped', 'order');
    if (order === null) return;
    this.#order = order;
    this.#cursor = Math.min(order.from, this.#blocks);
    this.#alone = [];
    this.#disagreements = [];
    this.#findings.begin(order.found);
    this.#nextAt = turn.now;
    const { level, from, repair } = order;
    if (level === 'quick') this.#quick.begin();
    this.#begun = this.#chunk.begun = turn.event('mirror.verify.start', { level, from, repair });
    this.#say('running', '');
  }

  /** End of a turn: begins the next chunk when it is due. */
  pump(): void {
    const order = this.#order;
    if (order === null) return;
    const { state, reads, turn, quiesce, canary } = this.#p;
    // Also with a chunk in hand: its disk may never answer.
    const proxied = state.through !== Through.No;
    const goesOn = state.lead && !state.demoting && !proxied;
    if (!goesOn && !(proxied && canary.proxyRepairsFromOwn)) {
      this.#finish('stopped', proxied ? 'disk-failed' : 'not-primary');
      return;
    }
    this.#chunk.pump();
    if (this.#chunk.inHand || quiesce.on) return;
    if (!reads.possible) {
      this.#pause();
      return;
    }
    if (this.#state === 'paused') this.#say('running', '');
    if (order.level === 'quick') {
      this.#compareMetadata();
      return;
    }
    if (turn.now < this.#nextAt) {
      turn.due(Deadline.Verify, this.#nextAt);
      return;
    }
    const block = this.#alone.pop();
    if (block !== undefined) this.#begin(block, 1);
    else if (this.#cursor >= this.#blocks) this.#finish('done', '');
    else this.#begin(this.#cursor, Math.min(this.#chunkBlocks, this.#blocks - this.#cursor));
  }

  /** The own disk has failed, and others serve: it says nothing about anybody's any more. */
  suspend(): void {
    if (this.#p.canary.proxyRepairsFromOwn) return;
    if (this.#order !== null) this.#finish('stopped', 'disk-failed');
    this.#chunk.suspend();
  }

  // What became of the chunk in hand.

  equal(length: number): void {
    this.#findings.checked += Math.ceil(length / BLOCK_BYTES);
    this.#pace(length);
  }

  apart(first: number, count: number): void {
    for (let block = first + count - 1; block >= first; block -= 1) this.#alone.push(block);
  }

  differs(look: BlockLook): boolean {
    const { turn } = this.#p;
    this.#findings.differs(look);
    turn.reached('mirror.verify.differs');
    turn.under(this.#begun, () => turn.event('mirror.verify.differs', { block: look.block }));
    return this.#order?.repair === true;
  }

  left(length: number): void {
    this.equal(length);
  }

  repaired(block: number): void {
    this.#findings.repaired(block);
    this.equal(BLOCK_BYTES);
  }

  unreadable(look: BlockLook): void {
    const { turn } = this.#p;
    this.#findings.unreadable(look);
    turn.reached('mirror.verify.unreadable');
    const d = { block: look.block, who: look.lost ?? '' };
    turn.under(this.#begun, () => turn.event('mirror.verify.unreadable', d));
    this.#pace(BLOCK_BYTES);
  }

  again(first: number, count: number): void {
    if (count === 1) this.#alone.push(first);
    else this.#cursor = Math.min(this.#cursor, first);
  }

  /** One block alone, or the next ones. */
  #begin(block: number, count: number): void {
    const { turn, writes } = this.#p;
    const alone = block < this.#cursor;
    // Digests in any case where one block is to be judged: they are the better evidence.
    const digests = this.#order?.level === 'digest' || count === 1;
    const how = digests ? Flag.Digest : 0;
    this.#beganAt = turn.now;
    this.#admitted = writes.admitted;
    if (!alone) this.#cursor = block + count;
    const partner = this.#p.reads.somebody;
    if (partner !== null && this.#chunk.begin(partner, block, count, how)) return;
    if (alone) this.#alone.push(block);
    else this.#cursor = block;
  }

  #pause(): void {
    if (this.#state === 'paused') return;
    this.#p.turn.reached('mirror.verify.paused');
    this.#say('paused', 'peer-away');
  }

  #compareMetadata(): void {
    const partner = this.#p.reads.somebody;
    const verdict = partner === null ? null : this.#quick.look(partner);
    if (verdict === null) return;
    this.#disagreements = verdict.disagreements;
    for (const { block, blocks, here } of verdict.dirty) this.#findings.dirty(block, blocks, here);
    const { turn } = this.#p;
    for (const { what } of verdict.disagreements) {
      turn.reached('mirror.verify.disagrees');
      turn.under(this.#begun, () => {
        turn.event('mirror.verify.disagrees', { what: `verify.${what}` });
      });
    }
    this.#cursor = this.#blocks;
    this.#finish('done', '');
  }

  /**
   * No more bytes a second than the order allows, and none for a while where clients are busy;
   * once a second, how far it is.
   */
  #pace(length: number): void {
    const { turn, writes, canary } = this.#p;
    const rate = this.#order?.bytesPerSecond ?? 0;
    const from = Math.max(this.#nextAt, turn.now - MICROS_PER_S / 10);
    this.#nextAt = rate > 0 ? from + Math.ceil((length * MICROS_PER_S) / rate) : turn.now;
    const busy = writes.open > 0 || writes.admitted !== this.#admitted;
    if (busy && !canary.verifyGreedy) {
      const rest = Math.min(REST * (turn.now - this.#beganAt), REST_MAX);
      this.#nextAt = Math.max(this.#nextAt, turn.now + rest);
    }
    if (this.#order !== null && turn.now >= this.#reportAt) this.#say('running', '');
  }

  #finish(state: 'done' | 'stopped', reason: string): void {
    const { turn } = this.#p;
    const { checked, differing, repaired, unreadable } = this.#findings.tally;
    const d = { state, checked, differing, repaired, unreadable };
    turn.under(turn.cause || this.#begun, () => turn.event('mirror.verify.end', d));
    this.#say(state, reason);
    this.#order = null;
    this.#chunk.abandon();
    turn.due(Deadline.Verify, Number.POSITIVE_INFINITY);
  }

  #say(state: VerifyReport['state'], reason: string): void {
    const { turn, config, canary } = this.#p;
    this.#state = state;
    this.#reportAt = turn.now + MICROS_PER_S;
    // What is in hand, or waits to be looked at alone, lies before the cursor: so that none is
    // missed by who goes on there.
    const waiting = canary.verifySkips ? [] : [this.#chunk.firstBlock, ...this.#alone];
    const { id, level, repair } = this.#order ?? NONE;
    turn.report({
      kind: 'verify',
      volume: config.volume,
      id,
      level,
      repair,
      state,
      reason,
      cursor: Math.min(this.#cursor, ...waiting),
      blocks: this.#blocks,
      ...this.#findings.tally,
      disagreements: this.#disagreements,
    });
  }
}

const NONE = { id: 0, level: 'direct', repair: false } as const;
