/** Numbers as a person reads them. Times are microseconds of the run's axis. */

/** A time on the axis with as many places as the step between ticks needs: "12.384 s". */
export function axisTime(time: number, step: number): string {
  const places = Math.max(0, Math.ceil(6 - Math.log10(Math.max(1, step))));
  return `${seconds(time, Math.min(6, places))} s`;
}

/** A moment in full: "12.384210 s", or "1 h 02 m 12.384 s" past the first hour. */
export function moment(time: number): string {
  if (Math.abs(time) < 3_600_000_000) return `${seconds(time, 6)} s`;
  const whole = Math.floor(time / 60_000_000);
  const hours = Math.floor(whole / 60);
  const minutes = String(whole % 60).padStart(2, '0');
  return `${hours} h ${minutes} m ${seconds(time - whole * 60_000_000, 3)} s`;
}

/** A span of time in the unit that suits it: "5.5 s", "340 ms", "12 µs". */
export function duration(micros: number): string {
  const size = Math.abs(micros);
  if (size < 1000) return `${Math.round(micros)} µs`;
  if (size < 1_000_000) return `${trimmed(micros / 1000)} ms`;
  if (size < 120_000_000) return `${trimmed(micros / 1_000_000)} s`;
  if (size < 7_200_000_000) return `${trimmed(micros / 60_000_000)} min`;
  return `${trimmed(micros / 3_600_000_000)} h`;
}

/** Bytes in binary units: "1.25 MiB". */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trimmed(value)} ${units[unit]}`;
}

/** Groups of three, with a thin space: "1 048 576". */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u2009');
}

/** A random identifier, short enough to compare by eye: the last six of its base-36 digits. */
export function shortNumber(value: number): string {
  return value === 0 ? '0' : value.toString(36).slice(-6);
}

function seconds(time: number, places: number): string {
  return (time / 1_000_000).toFixed(places);
}

/** Three digits that count, without trailing zeros. */
function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}
