/**
 * A replica whose path is lost comes back by itself: its host starts its core anew now and then
 * until the disk can be read, and what it then holds is judged as after a loss of power. A core
 * that starts is something that all the rest survives anyhow; attaching again within a life would
 * be something new. It never does so while this host serves anybody, who would notice, nor while it
 * may have to take over what it holds besides.
 *
 * Each life waits twice as long as the one before, with some chance in it, so that hosts which lost
 * the same array do not all look at the same moment. How often it was in vain outlives the core.
 */
import { type BootId, MICROS_PER_S, type Micros } from '../core/units.ts';
import type { Applications } from './applications.ts';
import type { Context } from './context.ts';
import type { Durability } from './persist.ts';
import type { LocalVolume } from './volumes.ts';

/** From the first loss to the first look: a core that lived so long is replaced at once. */
const FIRST: Micros = 10 * MICROS_PER_S;
/** Waits double up to this: a path may be away for days, and then be back. */
const MOST: Micros = 40 * MICROS_PER_S;
/**
 * The same where the host holds another replica that is well: while its core starts, nobody could
 * take that volume over, so it is not to happen often.
 */
const MOST_BESIDE: Micros = 600 * MICROS_PER_S;
/** The part of a wait by which chance may lengthen it. */
const CHANCE = 4;
/** The longest that a path which is back can wait for somebody to look, if nobody is served. */
export const LOOK_MOST: Micros = MOST + MOST / CHANCE;
/** A path that has been there for so long is lost for the first time again. */
const FORGOTTEN: Micros = 6 * 3600 * MICROS_PER_S;
/**
 * Lives of a core that found a path lost, in a minute. Its monitor allows five starts
 * (backends/real/restart-budget.ts) before it lets the lease lapse: some are left for accidents.
 */
export const LIVES_MAX = 3;
const MINUTE: Micros = 60 * MICROS_PER_S;
/** Enough for the longest wait. */
const KEPT = 64;

/** When lives of the core found a path lost, in this boot: for its next life. */
export interface PathLooks {
  readonly boot: BootId;
  readonly found: readonly Micros[];
}

export class LostPath {
  readonly #context: Context;
  readonly #durability: Durability;
  readonly #volumes: readonly LocalVolume[];
  readonly #applications: Applications;
  /** Whether every other node is heard. */
  readonly #heard: () => boolean;
  #found: readonly Micros[] = [];
  /** When this life is to end, -1 while it has found nothing lost. */
  #due: Micros = -1;
  /** Whether the next life would know of this one. */
  #noted = false;

  constructor(
    context: Context,
    durability: Durability,
    volumes: readonly LocalVolume[],
    applications: Applications,
    heard: () => boolean,
  ) {
    this.#context = context;
    this.#durability = durability;
    this.#volumes = volumes;
    this.#applications = applications;
    this.#heard = heard;
  }

  /** What an earlier life wrote down; the clock of another boot was another one. */
  restore(looks: PathLooks | undefined): void {
    if (looks?.boot === this.#context.boot) this.#found = looks.found;
  }

  /** What is to be written down; absent where no path was lost in this boot. */
  get looks(): PathLooks | undefined {
    const { boot } = this.#context;
    return this.#found.length === 0 ? undefined : { boot, found: this.#found };
  }

  /** Called with every heartbeat. */
  tick(): void {
    const { now, flags } = this.#context;
    const lost = this.#volumes.find(({ disk, pathLost }) => disk === 'Failed' && pathLost);
    if (lost === undefined || flags['path-given-up']) {
      this.#due = -1;
      return;
    }
    if (this.#due < 0) this.#note();
    if (now < this.#due || !this.#noted || this.#isSpent() || this.#serves()) return;
    this.#due = -1;
    const { volume, failure } = lost;
    const cause = this.#context.event('data.path', { volume }, failure);
    this.#context.decide({ kind: 'restart-core', why: 'lost-path', cause });
  }

  /** This life has found a path lost. */
  #note(): void {
    const { now, rng, flags } = this.#context;
    const known = this.#found.filter((at) => now - at < FORGOTTEN);
    this.#found = [...known, now].slice(-KEPT);
    let wait = FIRST;
    const most = this.#volumes.some(isWell) ? MOST_BESIDE : MOST;
    for (let n = 0; n < known.length && wait < most; n += 1) wait = Math.min(most, 2 * wait);
    if (flags['path-hammered']) wait = FIRST / 2;
    this.#due = now + wait + rng.below(wait / CHANCE);
    this.#noted = false;
    this.#durability.mark();
    this.#durability.after(() => {
      this.#noted = true;
    });
  }

  /** Whether so many lives have ended lately that another one may be the monitor's last. */
  #isSpent(): boolean {
    const { now, flags } = this.#context;
    if (flags['path-hammered']) return false;
    return this.#found.filter((at) => now - at < MINUTE).length > LIVES_MAX;
  }

  /** Whether this host is about to take another volume over, or may have to now. */
  #mayTakeOver(): boolean {
    const others = this.#volumes.filter(isWell);
    return others.some(({ engaged }) => engaged) || (others.length > 0 && !this.#heard());
  }

  /** Whether anybody would notice the end of this core. */
  #serves(): boolean {
    const { units, flags } = this.#context;
    if (flags['path-over-clients']) return false;
    return (
      this.#volumes.some(isBusy) ||
      this.#mayTakeOver() ||
      units.some((unit) => {
        const own = this.#volumes.find(({ volume }) => volume === unit.volume.name);
        // What stands on the lost replica itself is served by nobody here.
        return own?.disk !== 'Failed' && !this.#applications.get(unit).quiet;
      })
    );
  }
}

/** Whether a replica acts as primary, or is being copied or put back, which would begin anew. */
function isBusy({ disk, role, link, wayBack, proxies }: LocalVolume): boolean {
  if (disk === 'Failed') return proxies;
  const acts = role === 'Primary' || role === 'Suspended';
  const copies = link === 'SyncSource' || link === 'SyncTarget';
  return acts || copies || wayBack?.state === 'returning';
}

/** Whether it is a replica that somebody may be served by. */
function isWell({ disk }: LocalVolume): boolean {
  return disk !== 'Failed' && disk !== 'Diskless';
}
