/** Reading and writing quantities with their units as suffixes: `500ms`, `3s`, `64MiB`. */

const DURATIONS: readonly (readonly [suffix: string, micros: number])[] = [
  ['us', 1],
  ['ms', 1000],
  ['s', 1_000_000],
  ['min', 60_000_000],
  ['h', 3_600_000_000],
  ['d', 86_400_000_000],
];

const SIZES: readonly (readonly [suffix: string, bytes: number])[] = [
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['TiB', 1024 ** 4],
];

function parse(
  text: string,
  table: readonly (readonly [suffix: string, factor: number])[],
): number | null {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*([A-Za-z]+)$/.exec(text.trim());
  if (match === null) return null;
  const factor = table.find(([suffix]) => suffix === match[2])?.[1];
  if (factor === undefined) return null;
  const value = Number(match[1]) * factor;
  return Number.isSafeInteger(value) ? value : null;
}

/** "3s" → 3000000 µs; null when it is no duration or no whole number of microseconds. */
export function parseDuration(text: string): number | null {
  return parse(text, DURATIONS);
}

/** "4MiB" → 4194304 bytes; null when it is no size or no whole number of bytes. */
export function parseSize(text: string): number | null {
  return parse(text, SIZES);
}

function format(
  value: number,
  table: readonly (readonly [suffix: string, factor: number])[],
): string {
  const fitting = table.filter(([, factor]) => value % factor === 0);
  const [suffix, factor] = fitting[fitting.length - 1] ?? (table[0] as readonly [string, number]);
  return `${value / factor}${suffix}`;
}

/** The shortest exact form: 3000000 → "3s". */
export function formatDuration(micros: number): string {
  return micros === 0 ? '0us' : format(micros, DURATIONS);
}

/** The shortest exact form: 4194304 → "4MiB". */
export function formatSize(bytes: number): string {
  return bytes === 0 ? '0B' : format(bytes, SIZES);
}
