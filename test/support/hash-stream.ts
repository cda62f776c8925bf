/** Everything that a run feeds to its trace hash, written down so that it can be fed again. */
import type { TraceHash } from '../../backends/sim/trace-hash.ts';
import type { ControlMessage } from '../../engine/cluster/messages.ts';

/** One thing that was fed. Values are copies: their owners go on changing them. */
export type Fed =
  | { readonly kind: 'word'; readonly x: number }
  | { readonly kind: 'integer'; readonly x: number }
  | { readonly kind: 'words'; readonly words: Int32Array; readonly page?: true }
  | { readonly kind: 'value'; readonly value: unknown }
  | Datagram;

/** A datagram that is sent, or that arrives: then `value` is what was sent under its number. */
export interface Datagram {
  readonly kind: 'sent' | 'received';
  readonly node: number;
  readonly link: number;
  readonly number: number;
  readonly value: unknown;
}

/** From now on `hash` writes down what it is fed, and goes on as before. */
export function listen(hash: TraceHash): readonly Fed[] {
  const fed: Fed[] = [];
  // Its methods call one another: only the outermost call is what the world fed.
  let inside = false;
  const outermost = <Arguments extends unknown[], Result>(
    original: (...given: Arguments) => Result,
    note: (...given: Arguments) => Fed,
  ): ((...given: Arguments) => Result) => {
    return (...given) => {
      if (inside) return original.apply(hash, given);
      fed.push(note(...given));
      inside = true;
      const result = original.apply(hash, given);
      inside = false;
      return result;
    };
  };
  hash.word = outermost(hash.word, (x) => ({ kind: 'word', x }));
  hash.integer = outermost(hash.integer, (x) => ({ kind: 'integer', x }));
  hash.value = outermost(hash.value, (value) => ({ kind: 'value', value: copyOf(value) }));
  const sent: unknown[] = [];
  hash.sent = outermost(hash.sent, (node, link, message) => {
    const value = copyOf(message);
    return { kind: 'sent', node, link, number: sent.push(value), value };
  });
  hash.received = outermost(hash.received, (node, link, number) => {
    return { kind: 'received', node, link, number, value: sent[number - 1] };
  });
  hash.words = outermost(hash.words, (from, at, count) => {
    return { kind: 'words', words: Int32Array.from(from.subarray(at, at + count)) };
  });
  hash.page = outermost(hash.page, (from, at, count) => {
    return { kind: 'words', words: Int32Array.from(from.subarray(at, at + count)), page: true };
  });
  hash.record = outermost(hash.record, (records, r) => {
    return { kind: 'words', words: records.i32.slice(r << 3, (r + 1) << 3) };
  });
  return fed;
}

/** Feeds one thing. */
export function feed(hash: TraceHash, fed: Fed): void {
  if (fed.kind === 'word') hash.word(fed.x);
  else if (fed.kind === 'integer') hash.integer(fed.x);
  else if (fed.kind === 'words') {
    if (fed.page) hash.page(fed.words, 0, fed.words.length);
    else hash.words(fed.words, 0, fed.words.length);
  } else if (fed.kind === 'sent') hash.sent(fed.node, fed.link, fed.value as ControlMessage);
  else if (fed.kind === 'received') hash.received(fed.node, fed.link, fed.number);
  else hash.value(fed.value);
}

/** How many fields a thing has that could be changed. */
export function fieldsOf(fed: Fed): number {
  if (fed.kind === 'words') return fed.words.length;
  if (fed.kind === 'sent') return 2 + leaves(fed.value);
  if (fed.kind === 'received') return 3;
  return fed.kind === 'value' ? leaves(fed.value) : 1;
}

/** The same with its field number `field` changed and nothing else. */
export function withChanged(fed: Fed, field: number): Fed {
  if (fed.kind === 'word' || fed.kind === 'integer') return { ...fed, x: fed.x + 1 };
  if (fed.kind === 'words') {
    const words = fed.words.slice();
    words[field] = (words[field] as number) ^ (1 << (field & 31));
    return { ...fed, words };
  }
  if (fed.kind === 'sent' || fed.kind === 'received') {
    if (field === 0) return { ...fed, node: fed.node + 1 };
    if (field === 1) return { ...fed, link: fed.link + 1 };
    if (fed.kind === 'received') return { ...fed, number: fed.number + 1 };
  }
  let left = fed.kind === 'sent' ? field - 2 : field;
  const changed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(changed);
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, changed(of)]));
    }
    left -= 1;
    return left === -1 ? other(value) : value;
  };
  return { ...fed, value: changed(fed.value) };
}

/** A copy of a message; a field that is there and undefined stays so, for it is hashed too. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, copyOf(of)]));
}

function leaves(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return parts.reduce<number>((total, part) => total + leaves(part), 0);
}

/** Another value of the same type, as near as there is one. */
function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string') return `${value}.`;
  if (typeof value === 'boolean') return !value;
  return value === null ? 0 : null;
}
