/**
 * A replica whose path is lost comes back by itself: its host starts its core anew every few
 * seconds until the disk can be read, and what it then holds is judged as after a loss of power. A
 * core that starts is something that all the rest survives anyhow; attaching again within a life
 * would be something new. Not while this host acts as primary of another volume, whose clients
 * would notice.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import type { Context } from './context.ts';
import type { LocalVolume } from './volumes.ts';

/** Between two attempts. A core's budget of restarts allows more (backends/real). */
const AGAIN: Micros = 15 * MICROS_PER_S;

export class LostPath {
  readonly #context: Context;
  readonly #volumes: readonly LocalVolume[];
  #since: Micros = -1;

  constructor(context: Context, volumes: readonly LocalVolume[]) {
    this.#context = context;
    this.#volumes = volumes;
  }

  /** Called with every heartbeat. */
  tick(): void {
    const { now, flags } = this.#context;
    const lost = this.#volumes.find(({ disk, pathLost }) => disk === 'Failed' && pathLost);
    if (lost === undefined || flags['path-given-up']) {
      this.#since = -1;
      return;
    }
    if (this.#since < 0) this.#since = now;
    if (now - this.#since < AGAIN || this.#serves()) return;
    this.#since = -1;
    const { volume, failure } = lost;
    const cause = this.#context.event('data.path', { volume }, failure);
    this.#context.decide({ kind: 'restart-core', cause });
  }

  #serves(): boolean {
    return this.#volumes.some(({ disk, role }) => {
      return disk !== 'Failed' && (role === 'Primary' || role === 'Suspended');
    });
  }
}
