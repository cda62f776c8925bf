import { describe, expect, it } from 'vitest';
import { nodeOfKey, ReservationClaim, reservationKey } from '../../../engine/mirror/reservation.ts';
import type {
  ReservationAnswer,
  ReservationOrder,
  ReservationTable,
} from '../../../engine/ports/reservation.ts';

const UUID = '0123456789abcdef0123456789abcdef';
const OTHER = 'f123456789abcdef0123456789abcdef';
const OWN = reservationKey(UUID, 1, 7);
const EARLIER = reservationKey(UUID, 1, 6);
const PEER = reservationKey(UUID, 2, 7);

const DONE: ReservationAnswer = { said: 'done' };
const CONFLICT: ReservationAnswer = { said: 'conflict' };

function shown(
  keys: readonly string[],
  holder: string | null,
  ours = true,
): { readonly said: 'table'; readonly table: ReservationTable } {
  const held = holder === null ? null : { key: holder, ours };
  return { said: 'table', table: { generation: 1, keys, holder: held } };
}

/** What a claim asks and how it ends, given these answers. */
function played(...answers: readonly ReservationAnswer[]) {
  const claim = new ReservationClaim(UUID, 1, 7);
  let next = claim.next(null);
  const asked: ReservationOrder[] = [];
  for (const answer of answers) {
    if ('end' in next) throw new Error(`it had ended: ${JSON.stringify(next)}`);
    asked.push(next);
    next = claim.next(answer);
  }
  return { asked, next };
}

describe('a key of a reservation', () => {
  it('is 64 bits, and another one for each volume, node and life', () => {
    const keys = [OWN, EARLIER, PEER, reservationKey(OTHER, 1, 7)];
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{16}$/);
    expect(new Set(keys).size).toBe(keys.length);
    expect(reservationKey(UUID, 64, 2 ** 32 - 1)).toMatch(/^75[0-9a-f]{4}40ffffffff$/);
  });

  it('says which node it is of, unless it is not ours', () => {
    expect([OWN, PEER, 'ff00000000000001'].map(nodeOfKey)).toEqual([1, 2, null]);
  });
});

describe('a claim', () => {
  it('of a disk that nobody has ends when the table says that it holds it', () => {
    const { asked, next } = played(
      shown([], null),
      DONE,
      shown([OWN], null),
      DONE,
      shown([OWN], OWN),
    );
    expect(asked.map(({ op }) => op)).toEqual(['read', 'register', 'read', 'reserve', 'read']);
    expect(next).toEqual({ end: 'held', thrownOff: [] });
  });

  it('of a disk that is its own already asks once', () => {
    expect(played(shown([OWN, OWN], OWN)).next).toEqual({ end: 'held', thrownOff: [] });
  });

  it('throws earlier lives of its node off, one by one, until none is on the table', () => {
    const { asked, next } = played(
      shown([EARLIER], EARLIER),
      DONE,
      shown([EARLIER, OWN], EARLIER),
      DONE,
      shown([OWN], OWN),
    );
    expect(asked[3]).toEqual({ op: 'preempt', key: OWN, victim: EARLIER });
    expect(next).toEqual({ end: 'held', thrownOff: [EARLIER] });
  });

  it('does not end while an earlier life holds the disk that is on the table no more', () => {
    const { asked, next } = played(shown([OWN], EARLIER), DONE, shown([OWN], OWN));
    expect(asked[1]).toEqual({ op: 'preempt', key: OWN, victim: EARLIER });
    expect(next).toMatchObject({ end: 'held' });
  });

  it('asks the table again when somebody was quicker', () => {
    const { next } = played(
      shown([], null),
      DONE,
      shown([OWN], null),
      CONFLICT,
      shown([PEER], PEER),
    );
    expect(next).toEqual({ end: 'taken', key: PEER });
  });

  const others = [
    ['another node', shown([PEER], PEER), PEER],
    ['another node that holds nothing yet', shown([PEER], null), PEER],
    [
      'the same node of another volume',
      shown([reservationKey(OTHER, 1, 6)], null),
      reservationKey(OTHER, 1, 6),
    ],
    [
      'somebody else beside an earlier life',
      shown([EARLIER, '0000000000000abc'], EARLIER),
      '0000000000000abc',
    ],
    ['somebody who is on the table no more', shown([], PEER), PEER],
    ['its own node by a reservation of another type', shown([OWN], OWN, false), OWN],
  ] as const;
  for (const [whose, table, key] of others) {
    it(`leaves a disk to ${whose}`, () => {
      expect(played(table).next).toEqual({ end: 'taken', key });
    });
  }

  it('says of a disk without a table, and of one that fails, what is so', () => {
    const unable = (reason: 'unsupported' | 'failed'): ReservationAnswer => {
      return { said: 'unable', reason, errno: 5 };
    };
    expect(played(unable('unsupported')).next).toEqual({ end: 'unsupported' });
    expect(played(shown([], null), unable('failed')).next).toEqual({ end: 'failed', errno: 5 });
  });

  it('has an end, whatever others do', () => {
    const claim = new ReservationClaim(UUID, 1, 7);
    let next = claim.next(null);
    let asked = 0;
    while ('op' in next) {
      asked += 1;
      next = claim.next(next.op === 'read' ? shown([], null) : CONFLICT);
    }
    expect(next).toEqual({ end: 'unsettled' });
    expect(asked).toBeLessThan(200);
  });
});
