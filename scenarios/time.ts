/** Times as people write them in scenarios: "100ms", "2.9s", "350us". */

const MICROS: readonly (readonly [unit: string, micros: number])[] = [
  ['us', 1],
  ['ms', 1_000],
  ['s', 1_000_000],
  ['min', 60_000_000],
];

/** Microseconds, or null for what is not a time. */
export function readTime(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const match = /^(\d{1,9})(?:\.(\d{1,6}))?\s*(us|ms|s|min)$/.exec(value.trim());
  if (match === null) return null;
  const micros = MICROS.find(([unit]) => unit === match[3])?.[1] ?? 1;
  const fraction = match[2] ?? '';
  // In whole numbers throughout: 2.9 × 1,000,000 has to be 2,900,000 everywhere.
  let whole = Number(match[1]) * micros;
  let part = micros;
  for (let i = 0; i < fraction.length; i += 1) {
    part = Math.floor(part / 10);
    whole += Number(fraction[i]) * part;
  }
  return whole;
}

/** As {@link readTime}, with a value for what is left out. */
export function readTimeOr(value: unknown, otherwise: number): number | null {
  return value === undefined ? otherwise : readTime(value);
}

/** The shortest exact text, without a space: "2.9s". */
export function writeTime(micros: number): string {
  if (micros !== 0 && micros < 1_000) return `${micros}us`;
  if (micros < 1_000_000) return `${decimal(micros, 3)}ms`;
  return `${decimal(micros, 6)}s`;
}

/** The same for a sentence: "2.9 s". */
export function sayTime(micros: number): string {
  return writeTime(micros).replace(/[a-z]+$/, (unit) => ` ${unit === 'us' ? 'µs' : unit}`);
}

function decimal(value: number, places: number): string {
  let unit = 1;
  for (let i = 0; i < places; i += 1) unit *= 10;
  const whole = Math.floor(value / unit);
  const rest = String(value % unit)
    .padStart(places, '0')
    .replace(/0+$/, '');
  return rest === '' ? String(whole) : `${whole}.${rest}`;
}
