/**
 * The sample's story as real hosts would have written it: a journal a node, with wall clocks, and
 * no word of the simulated world.
 */
import type { TimelineEvent } from '../../engine/timeline/event.ts';
import type { Journal } from '../../engine/timeline/journal.ts';
import { sampleTimeline } from './sample-timeline.ts';

/** Wall time at which the story begins, in milliseconds. */
export const STORY_WALL = 1_790_000_000_000;

export interface SampleJournals {
  /** Node 1 is dead from its silence at 8 s on, and never comes back. */
  readonly dead?: boolean;
  /** The group has no application: it serves where its volume is primary. */
  readonly bare?: boolean;
  /** What more node 1's monitor wrote. */
  readonly told?: readonly TimelineEvent[];
}

export function sampleJournals({ dead, bare, told = [] }: SampleJournals = {}): readonly Journal[] {
  const { header, events } = sampleTimeline({ filler: 0 });
  const { replay: _, config, ...rest } = header;
  const known = config as { readonly groups: readonly object[] };
  const groups = known.groups.map((group) => (bare ? { ...group, application: null } : group));
  const real = events.filter(({ kind }) => !kind.startsWith('fault.'));
  return [1, 2, 3].map((node) => {
    const clockMap = [{ node, mono: 0, wall: STORY_WALL }];
    const own = real.filter((event) => {
      return event.node === node && !(dead === true && node === 1 && event.t >= 8_000_000);
    });
    const all = node === 1 ? [...own, ...told].sort((a, b) => a.t - b.t) : own;
    return {
      name: `${'abw'[node - 1]}/timeline.jsonl`,
      segments: [{ header: { ...rest, config: { ...known, groups }, clockMap }, events: all }],
      damaged: 0,
    };
  });
}
