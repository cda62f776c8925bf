/**
 * Points in time order as columns, with a pyramid of worst severities over them: what a lane's
 * events and a bar's changes of state are drawn from. A million points cost typed arrays and no
 * objects, and the worst of any range is found without looking at its points.
 */

/** Each level of the pyramid sums up this many entries of the one below. */
const FAN_BITS = 6;
const FAN = 1 << FAN_BITS;

export class Series {
  /** Microseconds on the run's axis, never falling. */
  times: Float64Array = new Float64Array(FAN);
  /** What the point stands for: a code of a state, or a kind. */
  values: Uint32Array = new Uint32Array(FAN);
  /** Index of the event behind the point. */
  refs: Uint32Array = new Uint32Array(FAN);
  length = 0;
  /** Row 0 is the severities themselves, each next row the worst of 64 entries below. */
  #rows: Uint8Array[] = [new Uint8Array(FAN)];

  /** Appends a point; `time` is not before the last one. */
  push(time: number, value: number, severity: number, ref: number): void {
    const at = this.length;
    if (at === this.times.length) this.#grow();
    this.times[at] = time;
    this.values[at] = value;
    this.refs[at] = ref;
    this.#rows[0]![at] = severity;
    this.length = at + 1;
    this.#raise(at, severity);
  }

  /** Severity of one point. */
  severity(at: number): number {
    return this.#rows[0]![at]!;
  }

  /**
   * Index of the first point at or after `time`, not before `from`. It gallops, because a drawing
   * asks for one pixel column after the other and the answer is near.
   */
  lowerBound(time: number, from = 0): number {
    const { times, length } = this;
    let low = from;
    let step = 1;
    while (low + step <= length && times[low + step - 1]! < time) {
      low += step;
      step *= 2;
    }
    let high = Math.min(length, low + step - 1);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Index of the last point at or before `time`, -1 when there is none. */
  lastAt(time: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Worst severity in [from, to), 0 when the range is empty. */
  worst(from: number, to: number): number {
    let worst = 0;
    let low = from;
    let high = to;
    for (let level = 0; low < high; level++) {
      const row = this.#rows[level]!;
      const top = level === this.#rows.length - 1;
      while (low < high && (top || (low & (FAN - 1)) !== 0)) worst = Math.max(worst, row[low++]!);
      while (low < high && (high & (FAN - 1)) !== 0) worst = Math.max(worst, row[--high]!);
      low >>= FAN_BITS;
      high >>= FAN_BITS;
    }
    return worst;
  }

  /** Index of the last point of the worst severity in [from, to), -1 when the range is empty. */
  worstIndex(from: number, to: number): number {
    return this.lastOf(this.worst(from, to), from, to);
  }

  /** Index of the last point of at least this severity in [from, to), -1 when there is none. */
  lastOf(severity: number, from: number, to: number): number {
    let at = to - 1;
    while (at >= from) {
      const empty = this.#emptyBlock(at, severity);
      if (empty > 0) at -= empty;
      else if (this.severity(at) >= severity) return at;
      else at -= 1;
    }
    return -1;
  }

  /** Size of the largest block ending at `at` that holds nothing so severe, 0 for none. */
  #emptyBlock(at: number, severity: number): number {
    let size = 0;
    for (let level = 1; level < this.#rows.length; level++) {
      const bits = FAN_BITS * level;
      if (((at + 1) & ((1 << bits) - 1)) !== 0) break;
      if (this.#rows[level]![at >> bits]! >= severity) break;
      size = 1 << bits;
    }
    return size;
  }

  #grow(): void {
    this.times = widened(this.times, new Float64Array(this.length * 2));
    this.values = widened(this.values, new Uint32Array(this.length * 2));
    this.refs = widened(this.refs, new Uint32Array(this.length * 2));
    this.#rows[0] = widened(this.#rows[0]!, new Uint8Array(this.length * 2));
  }

  #raise(at: number, severity: number): void {
    for (let level = 1; ; level++) {
      const below = at >> (FAN_BITS * (level - 1));
      if (level === this.#rows.length) {
        // A row of up to 64 entries is scanned as it is.
        if (below < FAN) return;
        this.#rows.push(summary(this.#rows[level - 1]!, below));
      }
      const index = below >> FAN_BITS;
      let row = this.#rows[level]!;
      if (index >= row.length) {
        row = widened(row, new Uint8Array(row.length * 2));
        this.#rows[level] = row;
      }
      if (row[index]! < severity) row[index] = severity;
    }
  }
}

function widened<Column extends Float64Array | Uint32Array | Uint8Array>(
  old: Column,
  wide: Column,
): Column {
  wide.set(old);
  return wide;
}

function summary(row: Uint8Array, last: number): Uint8Array {
  const above = new Uint8Array(Math.max(FAN, (last >> FAN_BITS) + 1));
  for (let at = 0; at <= last; at++) {
    const index = at >> FAN_BITS;
    above[index] = Math.max(above[index]!, row[at]!);
  }
  return above;
}
