/**
 * Puts events of several monotonic clocks on one axis. The order of the file is the order in which
 * things happened, so the axis never runs backwards; a clock that is a little behind is drawn at
 * the moment of the event before it.
 */
import type { TimelineEvent, TimelineHeader } from '../../../engine/timeline/event.ts';
import { split } from './ids.ts';

/** A session that seems to start this much before what came last has a clock that began anew. */
const BEHIND_MAX = 1_000_000;

export class Axis {
  /** Wall time of the axis' zero in milliseconds since 1970; 0 for a simulated run. */
  origin = 0;
  #offsets = new Map<number, number>();
  #shifts = new Map<string, number>();
  #last = 0;
  #started = false;

  /** Takes the clock map that holds from here on. */
  header(header: TimelineHeader): void {
    for (const point of header.clockMap) {
      // A shifted clock's milliseconds have a fraction, which doubles do not hold exactly.
      this.#offsets.set(point.node, Math.round(point.wall * 1000) - point.mono);
    }
  }

  /** The event's place on the axis in microseconds; call it in the order of the file. */
  place(event: TimelineEvent): number {
    const offset = this.#offsets.get(event.node);
    let time = event.t + (offset ?? 0);
    if (!this.#started) {
      this.#started = true;
      if (offset !== undefined && offset + event.t > 1_000_000_000_000_000) {
        this.origin = Math.floor(time / 1000);
      }
    }
    time -= this.origin * 1000;
    const [session] = split(event.id);
    let shift = this.#shifts.get(session);
    if (shift === undefined) {
      const lost = offset === undefined && this.origin > 0;
      shift = lost || time < this.#last - BEHIND_MAX ? this.#last - time : 0;
      this.#shifts.set(session, shift);
    }
    this.#last = Math.max(this.#last, time + shift);
    return this.#last;
  }
}
