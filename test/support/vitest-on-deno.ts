/**
 * The part of vitest's vocabulary that tests of simulated code use, on top of `Deno.test`. vitest
 * itself asks for the environment and the file system before the first test runs; these tests run
 * with no permission at all, which proves that what they test touches neither.
 */
import { equals, includes } from './equality.ts';

declare const Deno: { test(name: string, body: () => void | Promise<void>): void };

type Body = () => void | Promise<void>;
type Suite = { readonly name: string; readonly before: Body[] };

const open: Suite[] = [];

/** Groups tests under a name; may be nested. */
export function describe(name: string, body: () => void): void {
  open.push({ name, before: [] });
  try {
    body();
  } finally {
    open.pop();
  }
}

/** One test; a time limit, which vitest takes third, means nothing here. */
export function it(name: string, body: Body, _timeLimit?: number): void {
  const suites = [...open];
  Deno.test([...suites.map((suite) => suite.name), name].join(' > '), async () => {
    for (const suite of suites) for (const prepare of suite.before) await prepare();
    await body();
  });
}

/** Runs before each test of the surrounding group and of the groups in it. */
export function beforeEach(prepare: Body): void {
  const suite = open.at(-1);
  if (suite === undefined) throw new Error('beforeEach stands inside a describe');
  suite.before.push(prepare);
}

type Thrown = string | RegExp | (abstract new (...args: never[]) => unknown);

/** What can be asked of a value; `not` asks for the opposite. */
export interface Expectation {
  readonly not: Expectation;
  toBe(wanted: unknown): void;
  toEqual(wanted: unknown): void;
  toBeDefined(): void;
  toBeUndefined(): void;
  toBeNull(): void;
  toBeGreaterThan(limit: number | bigint): void;
  toBeGreaterThanOrEqual(limit: number | bigint): void;
  toBeLessThan(limit: number | bigint): void;
  toBeLessThanOrEqual(limit: number | bigint): void;
  toContain(member: unknown): void;
  toHaveLength(length: number): void;
  toMatch(pattern: RegExp | string): void;
  toMatchObject(part: object): void;
  toThrow(wanted?: Thrown): void;
}

/** Begins a question about `value`; `message` says in a failure what was believed. */
export function expect(value: unknown, message?: string): Expectation {
  return expectation(value, message, true);
}

function expectation(value: unknown, message: string | undefined, wantsTrue: boolean): Expectation {
  const check = (holds: boolean, relation: string, ...wanted: unknown[]): void => {
    if (holds === wantsTrue) return;
    const words = wantsTrue ? [relation] : ['not', relation];
    const question = [...words, ...wanted.map(show)].join(' ');
    throw new Error(`${message ?? 'expectation failed'}: got ${show(value)}, wanted ${question}`);
  };
  const ordered = value as number;
  return {
    get not() {
      return expectation(value, message, !wantsTrue);
    },
    toBe: (wanted) => check(Object.is(value, wanted), 'is', wanted),
    toEqual: (wanted) => check(equals(value, wanted), 'equals', wanted),
    toBeDefined: () => check(value !== undefined, 'is defined'),
    toBeUndefined: () => check(value === undefined, 'is undefined'),
    toBeNull: () => check(value === null, 'is null'),
    toBeGreaterThan: (limit) => check(ordered > limit, '>', limit),
    toBeGreaterThanOrEqual: (limit) => check(ordered >= limit, '>=', limit),
    toBeLessThan: (limit) => check(ordered < limit, '<', limit),
    toBeLessThanOrEqual: (limit) => check(ordered <= limit, '<=', limit),
    toContain: (member) => check(contains(value, member), 'contains', member),
    toHaveLength: (length) =>
      check((value as { length: number }).length === length, 'has length', length),
    toMatchObject: (part) => check(includes(value, part), 'includes', part),
    toMatch: (pattern) => check(matches(String(value), pattern), 'matches', pattern),
    toThrow: (wanted) => {
      const thrown = thrownBy(value as () => unknown);
      check(thrown !== undefined && isWanted(thrown.error, wanted), 'throws', wanted);
    },
  };
}

function contains(value: unknown, member: unknown): boolean {
  if (typeof value === 'string') return value.includes(String(member));
  return [...(value as Iterable<unknown>)].some((candidate) => Object.is(candidate, member));
}

function matches(text: string, pattern: RegExp | string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
}

function thrownBy(act: () => unknown): { readonly error: unknown } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return { error };
  }
}

function isWanted(error: unknown, wanted: Thrown | undefined): boolean {
  if (wanted === undefined) return true;
  const text = error instanceof Error ? error.message : String(error);
  if (typeof wanted === 'string' || wanted instanceof RegExp) return matches(text, wanted);
  return error instanceof wanted;
}

function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || value instanceof RegExp) return String(value);
  const text = JSON.stringify(value, (_, field) =>
    typeof field === 'bigint' ? `${field}n` : field,
  );
  return text ?? String(value);
}
