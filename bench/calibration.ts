/** A fixed loop of integers that tells a slow machine from a slow engine. */

const PENDING = 64;

/**
 * Takes the earliest of 64 pending entries out of a binary heap over typed arrays and puts it back
 * later, `operations` times; as many are pending in a simulated world.
 */
export function heapLoop(operations: number): void {
  const times = new Float64Array(PENDING);
  const entries = new Int32Array(PENDING);
  let chance = 0x2545f491;
  for (let i = 0; i < PENDING; i += 1) {
    times[i] = i * 16;
    entries[i] = i;
  }
  for (let done = 0; done < operations; done += 1) {
    chance ^= chance << 13;
    chance ^= chance >>> 17;
    chance ^= chance << 5;
    const entry = pop(times, entries);
    push(times, entries, (times[PENDING - 1] as number) + (chance & 1023), entry);
  }
}

/** Takes the first out; its time is left in the last place, which is free afterwards. */
function pop(times: Float64Array, entries: Int32Array): number {
  const size = PENDING - 1;
  const first = entries[0] as number;
  const firstTime = times[0] as number;
  const time = times[size] as number;
  const entry = entries[size] as number;
  let hole = 0;
  for (let child = 1; child < size; child = 2 * hole + 1) {
    const right = child + 1;
    if (right < size && (times[right] as number) < (times[child] as number)) child = right;
    if ((times[child] as number) >= time) break;
    times[hole] = times[child] as number;
    entries[hole] = entries[child] as number;
    hole = child;
  }
  times[hole] = time;
  entries[hole] = entry;
  times[size] = firstTime;
  return first;
}

/** Puts an entry into the last place and lets it rise. */
function push(times: Float64Array, entries: Int32Array, time: number, entry: number): void {
  let hole = PENDING - 1;
  while (hole > 0) {
    const parent = (hole - 1) >> 1;
    if ((times[parent] as number) <= time) break;
    times[hole] = times[parent] as number;
    entries[hole] = entries[parent] as number;
    hole = parent;
  }
  times[hole] = time;
  entries[hole] = entry;
}
