/**
 * Equality of plain data: numbers, strings, booleans, null, arrays and objects of those, as
 * messages are made of. It compares in place; writing both down as text to compare that was dearer
 * than the rest of the step that asked.
 */

/** Whether two plain values would be written alike, the fields of objects in their order. */
export function samePlain(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && sameItems(a, b);
  }
  const left = Object.keys(a);
  const right = Object.keys(b);
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false;
  return sameItems(Object.values(a), Object.values(b));
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (!samePlain(a[i], b[i])) return false;
  return true;
}
