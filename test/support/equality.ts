/**
 * Deep equality as vitest's `toEqual` means it, for runtimes where vitest does not load: own
 * enumerable fields count, a field that is undefined counts as absent, classes do not count.
 */

/** Whether two values are equal in every field that is not undefined. */
export function equals(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (!isObject(left) || !isObject(right)) return false;
  if (tagOf(left) !== tagOf(right)) return false;
  if (left instanceof Map && right instanceof Map) return equalMaps(left, right);
  if (left instanceof Set && right instanceof Set) return equalSets(left, right);
  if (left instanceof Error && right instanceof Error) {
    return left.name === right.name && left.message === right.message;
  }
  if (Array.isArray(left) || ArrayBuffer.isView(left)) {
    if (lengthOf(left) !== lengthOf(right)) return false;
  }
  return equalFields(left, right);
}

/** Whether every field of `part` is there in `whole`, plain objects and arrays compared within. */
export function includes(whole: unknown, part: unknown): boolean {
  if (!isObject(whole) || !isObject(part) || tagOf(part) !== tagOf(whole)) {
    return equals(whole, part);
  }
  if (Array.isArray(part)) {
    return lengthOf(part) === lengthOf(whole) && part.every((one, at) => includes(whole[at], one));
  }
  if (tagOf(part) !== '[object Object]') return equals(whole, part);
  return Object.keys(part).every((key) => key in whole && includes(whole[key], part[key]));
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function lengthOf(value: object): number {
  return 'length' in value ? Number(value.length) : (value as ArrayBufferView).byteLength;
}

function equalFields(left: Fields, right: Fields): boolean {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const key of keys) if (!equals(left[key], right[key])) return false;
  return true;
}

function equalMaps(left: Map<unknown, unknown>, right: Map<unknown, unknown>): boolean {
  if (left.size !== right.size) return false;
  for (const [key, value] of left) {
    if (!right.has(key) || !equals(value, right.get(key))) return false;
  }
  return true;
}

function equalSets(left: Set<unknown>, right: Set<unknown>): boolean {
  if (left.size !== right.size) return false;
  const rest = [...right];
  for (const member of left) {
    const at = rest.findIndex((candidate) => equals(member, candidate));
    if (at < 0) return false;
    rest.splice(at, 1);
  }
  return true;
}
