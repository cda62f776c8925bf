import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import type {
  ControlMessage,
  Heartbeat,
  LeaseAckMessage,
  VoteMessage,
} from '../../engine/cluster/messages.ts';
import { Records } from '../../engine/data/memory.ts';

const RECORDS = 6;

const BASE = { boot: 1, life: 2, event: '3.1.7' };
const VOTE: VoteMessage = { ...BASE, kind: 'vote', term: 1, pre: false, last: 4, lastTerm: 1 };
/** Times beyond 32 bits, as those of a clock are. */
const BEAT: Required<Heartbeat> = {
  ...BASE,
  kind: 'heartbeat',
  identity: 10,
  sent: 2 ** 40 + 11,
  yours: 12,
  heard: 2 ** 41 + 13,
  term: 14,
  leader: 15,
  commit: 16,
  matched: 17,
  facts: 18,
  factsHeard: 19,
  lease: 20,
  hears: [1, 3],
};
const ACK: Required<LeaseAckMessage> = {
  ...BASE,
  kind: 'lease-ack',
  of: 21,
  sent: 2 ** 42 + 22,
  identity: 23,
};

const fields = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 20 }),
    fc.nat(100),
    fc.nat(9),
    fc.nat(3),
    fc.nat(2_000_000_000),
    fc.nat(65536),
    fc.constantFrom(0, 5, 108, 116),
  ),
  { minLength: RECORDS, maxLength: RECORDS },
);

describe('the trace hash', () => {
  it('changes with any one bit of any field of any record', () => {
    fc.assert(
      fc.property(fields, fc.nat(RECORDS * 8 - 1), fc.nat(31), (all, word, bit) => {
        const buffer = new ArrayBuffer(RECORDS * 32);
        const records = new Records(buffer, 0, RECORDS);
        for (const [r, values] of all.entries()) records.put(r, ...values);
        const before = hashOf(records);
        expect(hashOf(records)).toBe(before);
        records.i32[word] = records.i32[word]! ^ (1 << bit);
        expect(hashOf(records)).not.toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes with any two bits of one record', () => {
    fc.assert(
      fc.property(fields, fc.nat(255), fc.nat(255), (all, one, other) => {
        fc.pre(one !== other);
        const records = new Records(new ArrayBuffer(RECORDS * 32), 0, RECORDS);
        for (const [r, values] of all.entries()) records.put(r, ...values);
        const before = hashOf(records);
        for (const bit of [one, other]) {
          const word = bit >> 5;
          records.i32[word] = records.i32[word]! ^ (1 << (bit & 31));
        }
        expect(hashOf(records)).not.toBe(before);
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes with the order of the words of one sum, and with how many there are', () => {
    const few = (...words: number[]): string => {
      const hash = new TraceHash();
      hash.words(Int32Array.from(words), 0, words.length);
      return hash.digest();
    };
    const all = [few(1, 2, 3), few(2, 1, 3), few(1, 3, 2), few(1, 2, 3, 0), few(1, 2), few(0)];
    expect(new Set(all).size).toBe(all.length);
  });

  it('changes with the order of records', () => {
    const hash = new TraceHash();
    hash.word(1);
    hash.word(2);
    const other = new TraceHash();
    other.word(2);
    other.word(1);
    expect(hash.digest()).not.toBe(other.digest());
  });

  it('changes with what a datagram says, where it goes, and which one arrives', () => {
    const run = (to: number, link: number, term: number, from: number, number: number): string => {
      const hash = new TraceHash();
      expect(hash.sent(9, 0, { ...VOTE, term: 1 })).toBe(1);
      expect(hash.sent(to, link, { ...VOTE, term })).toBe(2);
      hash.received(from, link, number);
      return hash.digest();
    };
    const changed = [run(2, 0, 3, 1, 2), run(3, 0, 3, 1, 2), run(2, 1, 3, 1, 2)];
    changed.push(run(2, 0, 4, 1, 2), run(2, 0, 3, 3, 2), run(2, 0, 3, 1, 1));
    expect(new Set(changed).size).toBe(changed.length);
  });

  it('changes with any one field of the messages that are taken without their names', () => {
    const samples: readonly (Required<Heartbeat> | Required<LeaseAckMessage>)[] = [BEAT, ACK];
    for (const message of samples) {
      const before = sentOf(message);
      expect(sentOf({ ...message })).toBe(before);
      const names = Object.keys(message).filter((name) => name !== 'kind');
      const others = names.map((name) => {
        const value: unknown = message[name as keyof typeof message];
        return sentOf({ ...message, [name]: otherOf(value) } as ControlMessage);
      });
      expect(new Set([before, ...others]).size).toBe(names.length + 1);
    }
    expect(sentOf({ ...BEAT, hears: [1] })).not.toBe(sentOf({ ...BEAT, hears: [1, 0] }));
  });

  it('takes a page for its words, without the zeroes at its end', () => {
    const page = (...words: number[]): string => {
      const hash = new TraceHash();
      hash.page(Int32Array.from([9, ...words, 9]), 1, words.length);
      return hash.digest();
    };
    expect(page(1, 2, 0, 0)).toBe(page(1, 2, 0));
    const others = [page(1, 2), page(1, 3), page(0, 1, 2), page(1, 0, 2), page(), page(1)];
    expect(new Set(others).size).toBe(others.length);
  });

  it('changes with any leaf, name or place in a message', () => {
    const message = {
      kind: 'append',
      term: 3,
      entries: [{ a: 1 }, { a: 2 }],
      ok: true,
      none: null,
    };
    const others: unknown[] = [
      { ...message, term: 4 },
      { ...message, kind: 'appenD' },
      { ...message, ok: false },
      { ...message, none: 0 },
      { ...message, entries: [{ a: 2 }, { a: 1 }] },
      { ...message, entries: [{ b: 1 }, { a: 2 }] },
      { ...message, entries: [{ a: 1 }] },
      { ...message, extra: 0 },
      { ...message, term: 3 + 4294967296 },
    ];
    const digests = new Set([message, ...others].map(digestOf));
    expect(digests.size).toBe(others.length + 1);
    expect(digestOf({ ...message })).toBe(digestOf(message));
  });
});

/** Another value of the same type. */
function otherOf(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  return Array.isArray(value) ? [...value, 9] : `${String(value)}.`;
}

function sentOf(message: ControlMessage): string {
  const hash = new TraceHash();
  hash.sent(2, 0, message);
  return hash.digest();
}

function hashOf(records: Records): string {
  const hash = new TraceHash();
  for (let r = 0; r < RECORDS; r += 1) hash.record(records, r);
  return hash.digest();
}

function digestOf(value: unknown): string {
  const hash = new TraceHash();
  hash.value(value);
  return hash.digest();
}
