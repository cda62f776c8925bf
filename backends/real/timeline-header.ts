/** First line of a real node's timeline: what wrote it, and how its clock maps to wall time. */
import { createHash } from 'node:crypto';
import type { Micros } from '../../engine/core/units.ts';
import { TIMELINE_SCHEMA, type TimelineHeader } from '../../engine/timeline/event.ts';
import { engineHash } from './engine-hash.ts';
import type { HostOptions } from './host-options.ts';

/** `mono` is the host's clock now. */
export function timelineHeader(options: HostOptions, mono: Micros): TimelineHeader {
  const { build, config, text, node } = options;
  return {
    schema: TIMELINE_SCHEMA,
    build,
    engineHash: engineHash(),
    configHash: createHash('sha256').update(text).digest('hex').slice(0, 16),
    config,
    clockMap: [{ node, mono, wall: Date.now() }],
  };
}
