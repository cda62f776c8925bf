/** Reads a replica's durable metadata as a crash would find it: which blocks it says may differ. */
import { EXTENT_BYTES } from '../../engine/core/units.ts';
import { PAGE_BLOCKS, PAGE_WORDS } from '../../engine/mirror/block-map.ts';
import type { MirrorConfig } from '../../engine/mirror/config.ts';
import { decodeJournal, type JournalRead } from '../../engine/mirror/journal.ts';
import { decodeMapPage, metadataLayout } from '../../engine/mirror/metadata.ts';
import type { Host } from './mirror-hosts.ts';
import type { Pair } from './mirror-pair.ts';
import { replicaOf, shown } from './mirror-spare.ts';

const EXTENT_BLOCKS = EXTENT_BYTES / 4096;
const BLOCK_SECTORS = 8;

/** The durable hot set. */
export function durablyHot(config: MirrorConfig, meta: Map<number, Uint8Array>): Set<number> {
  const layout = metadataLayout(config);
  const { device } = replicaOf(config, meta);
  const reads: JournalRead[] = [];
  for (let i = 0; i < layout.journalPages; i += 1) {
    const page = layout.journal + i;
    const read = decodeJournal(device, page, meta.get(page) as Uint8Array);
    if (read !== null) reads.push(read);
  }
  reads.sort((a, b) => b.seq - a.seq);
  const [newest] = reads;
  const oldest = newest === undefined ? 0 : newest.seq - newest.window + 1;
  return new Set(reads.filter(({ seq }) => seq >= oldest).flatMap(({ extents }) => extents));
}

/** Whether a block is durably hot, or dirty towards `other`; in a pair there is no choice. */
export function durablySuspect(
  config: MirrorConfig,
  meta: Map<number, Uint8Array>,
  other = 0,
): (block: number) => boolean {
  const layout = metadataLayout(config);
  const hot = durablyHot(config, meta);
  const { node, device } = replicaOf(config, meta);
  const maps: (Uint32Array | null)[] = [];
  const partners = config.nodes.filter((each) => each !== node);
  const pages = layout.mapPages / partners.length;
  const first = Math.max(0, partners.indexOf(other)) * pages;
  for (let i = first; i < first + pages; i += 1) {
    const words = new Uint32Array(PAGE_WORDS);
    const page = layout.map + i;
    const whole = decodeMapPage(device, page, i, meta.get(page) as Uint8Array, words);
    maps.push(whole === null ? null : words);
  }
  return (block) => {
    if (hot.has(Math.floor(block / EXTENT_BLOCKS))) return true;
    const words = maps[Math.floor(block / PAGE_BLOCKS)];
    if (!words) return true;
    const bit = block % PAGE_BLOCKS;
    return (((words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
  };
}

/** LAW-cover: the first block in which the replicas differ without either durably knowing. */
export function uncovered(pair: Pair): string | null {
  const [a, b] = pair.hosts;
  return uncoveredBetween(pair.config, a, b);
}

/** The same for any two of several hosts. */
export function uncoveredBetween(config: MirrorConfig, a: Host, b: Host): string | null {
  const suspects = [durablySuspect(config, a.meta, b.node), durablySuspect(config, b.meta, a.node)];
  const [ac, bc] = [a, b].map((h) => shown(config, h, h.cache)) as [Uint32Array, Uint32Array];
  const [as, bs] = [a, b].map((h) => shown(config, h, h.stable)) as [Uint32Array, Uint32Array];
  for (let s = 0; s < a.sectors; s += 1) {
    // In cache or on the platter: any of them may be what a crash leaves.
    if (ac[s] === bc[s] && as[s] === bs[s] && ac[s] === as[s]) continue;
    const block = Math.floor(s / BLOCK_SECTORS);
    if (!suspects.some((suspect) => suspect(block))) {
      return `LAW-cover: sector ${s}: ${ac[s]}/${as[s]} ${bc[s]}/${bs[s]}`;
    }
  }
  return null;
}
