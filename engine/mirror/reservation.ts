/**
 * Who may write a replica's disk that several hosts see (REQ-M13; docs/decisions/0039). Each life
 * of a node's core has a key of its own and claims the disk before it reads anything of it: earlier
 * lives of the same node are thrown off, with all that they still had under way; nobody else is.
 *
 * A reservation that is lost later is not claimed again in the same life: to be on the table again
 * is to write again, and who was thrown off cannot know whose disk that is now. No host claims its
 * disks yet; what is missing for that stands in the decision.
 */
import { crc32c } from '../core/crc32c.ts';
import type { NodeId } from '../core/units.ts';
import type {
  ReservationAnswer,
  ReservationOrder,
  ReservationTable,
} from '../ports/reservation.ts';

/** Marks a key as ours. */
const MARK = '75';
/** Others may change the table meanwhile, but a claim has an end. */
const ROUNDS_MAX = 64;

/** Planted bugs of the claim, for its own test: no campaign has a table. */
export type ClaimBug =
  /** Whether what was asked for has come about is not asked of the table again. */
  | 'claim-unverified'
  /** Earlier lives stay on the table. */
  | 'claim-beside'
  /** Another node is thrown off like an earlier life. */
  | 'claim-by-force';

/**
 * The key of one life: 8 bits that mark it as ours, 16 of the volume, 8 of the node, 32 of the
 * life, which is drawn anew for each.
 */
export function reservationKey(uuid: string, node: NodeId, life: number): string {
  return ownerPrefix(uuid, node) + (life >>> 0).toString(16).padStart(8, '0');
}

/** What all keys of a node for one volume begin with. */
function ownerPrefix(uuid: string, node: NodeId): string {
  const bytes = Uint8Array.from(uuid, (digit) => digit.charCodeAt(0));
  const volume = crc32c(bytes, 0, bytes.length, 0) & 0xffff;
  return MARK + volume.toString(16).padStart(4, '0') + node.toString(16).padStart(2, '0');
}

/** Whose key it is, in words of this product; null where it has none of our keys' marks. */
export function nodeOfKey(key: string): NodeId | null {
  if (!key.startsWith(MARK)) return null;
  return Number.parseInt(key.slice(6, 8), 16);
}

export type ClaimEnd =
  /** This life is the only one on the table and holds the reservation; `thrownOff` was there. */
  | { readonly end: 'held'; readonly thrownOff: readonly string[] }
  /** Somebody else is on the table, or holds a reservation of another type. */
  | { readonly end: 'taken'; readonly key: string }
  | { readonly end: 'unsupported' }
  | { readonly end: 'failed'; readonly errno: number }
  /** Others went on changing the table. */
  | { readonly end: 'unsettled' };

/** One claim: its orders are carried out one by one, each with the answer to the one before. */
export class ReservationClaim {
  readonly #own: string;
  readonly #prefix: string;
  readonly #bug: ClaimBug | null;
  readonly #thrownOff: string[] = [];
  #rounds = 0;
  #asked: ReservationOrder = { op: 'read' };

  /** `life` is drawn for this life of the core, 32 bits. */
  constructor(uuid: string, node: NodeId, life: number, bug: ClaimBug | null = null) {
    this.#own = reservationKey(uuid, node, life);
    this.#prefix = ownerPrefix(uuid, node);
    this.#bug = bug;
  }

  /** What to ask next, beginning with null; or how it ended. */
  next(answer: ReservationAnswer | null): ReservationOrder | ClaimEnd {
    if (answer === null) return this.#ask({ op: 'read' });
    switch (answer.said) {
      case 'unable':
        return answer.reason === 'unsupported'
          ? { end: 'unsupported' }
          : { end: 'failed', errno: answer.errno };
      case 'conflict':
        // Somebody was quicker: the table says who.
        return this.#again();
      case 'done':
        return this.#done();
      case 'table':
        return this.#judge(answer.table);
    }
  }

  #done(): ReservationOrder | ClaimEnd {
    const { op } = this.#asked;
    if (this.#asked.op === 'preempt') this.#thrownOff.push(this.#asked.victim);
    if (this.#bug === 'claim-unverified' && op !== 'register') return this.#held();
    return this.#again();
  }

  #judge({ keys, holder }: ReservationTable): ReservationOrder | ClaimEnd {
    const others = keys.filter((key) => key !== this.#own);
    // Who holds the disk may be on the table no more, with some arrays.
    if (holder !== null && holder.key !== this.#own) others.push(holder.key);
    const stranger = others.find((key) => !this.#isOfNode(key));
    if (stranger !== undefined) return { end: 'taken', key: stranger };
    if (holder?.ours === false) return { end: 'taken', key: holder.key };
    if (!keys.includes(this.#own)) return this.#ask({ op: 'register', key: this.#own });
    const [victim] = others;
    if (victim !== undefined && this.#bug !== 'claim-beside') {
      return this.#ask({ op: 'preempt', key: this.#own, victim });
    }
    if (holder === null) return this.#ask({ op: 'reserve', key: this.#own });
    return this.#held();
  }

  /** Whether the key is of some life of this node, for this volume. */
  #isOfNode(key: string): boolean {
    return key.startsWith(this.#prefix) || this.#bug === 'claim-by-force';
  }

  #held(): ClaimEnd {
    return { end: 'held', thrownOff: this.#thrownOff };
  }

  #again(): ReservationOrder | ClaimEnd {
    this.#rounds += 1;
    return this.#rounds > ROUNDS_MAX ? { end: 'unsettled' } : this.#ask({ op: 'read' });
  }

  #ask(order: ReservationOrder): ReservationOrder {
    this.#asked = order;
    return order;
  }
}
