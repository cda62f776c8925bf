/** A replica that comes back with pages of its metadata spoiled. */
import type { Pair } from './mirror-pair.ts';
import { started } from './mirror-swarm.ts';

/** Host 2 comes back with pages of its metadata spoiled. */
export function spoilt(pages: readonly number[]): Pair {
  const pair = started(5);
  pair.runFor(300_000);
  pair.powerOff(2);
  for (const page of pages) {
    const { meta } = pair.hosts[1];
    const bytes = (meta.get(page) as Uint8Array).slice();
    bytes.fill(0xee, 512, 1024);
    meta.set(page, bytes);
  }
  pair.powerOn(2);
  pair.runFor(100_000);
  return pair;
}
