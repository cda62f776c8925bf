/**
 * By which versions of the configuration this host's next core could run: the host looks, since it
 * alone knows its disks and addresses. It is asked again until the change is taken: disks fail, and
 * are taken away, while it waits.
 */
import type { Micros } from '../core/units.ts';
import type { Agreed } from './changes.ts';
import type { Context } from './context.ts';

interface Asked {
  at: Micros;
  /** In the host's words, '' where nothing is in the way, null before it has answered. */
  obstacle: string | null;
  /** How far the change was then. */
  readonly stage: Agreed['stage'];
}

/** Heartbeats after which it is asked again whether still nothing stands in the way. */
const AGAIN_AFTER = 5;

export class Readiness {
  readonly #context: Context;
  readonly #asked: Map<number, Asked> = new Map();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The newest version that the next core could run by; 0 where none was asked for. */
  get version(): number {
    let newest = 0;
    for (const [version, { obstacle }] of this.#asked) {
      if (obstacle === '') newest = Math.max(newest, version);
    }
    return newest;
  }

  /** The host answers a `prepare` decision; true when nothing stands in the way. */
  answered(version: number, obstacle: string): boolean {
    const asked = this.#asked.get(version);
    if (asked !== undefined) asked.obstacle = obstacle;
    return obstacle === '';
  }

  /** What keeps the next core from that; null for nothing. Has the host asked until it could. */
  obstacle({ version, changes, stage }: Agreed): string | null {
    const { now, timing, flags } = this.#context;
    let asked = this.#asked.get(version);
    if (asked?.obstacle === '' && flags['ready-for-good']) return null;
    // It looks at disks: not more often than a person could have seen to it. But what was so as the
    // change was ordered need not be so when it begins, days later.
    const known = asked?.stage === stage ? (asked?.obstacle ?? null) : null;
    const wait = known === '' ? AGAIN_AFTER * timing.heartbeat : timing.heartbeat;
    if (asked === undefined || asked.stage !== stage || now >= asked.at + wait) {
      asked = { at: now, obstacle: known, stage };
      this.#asked.set(version, asked);
      const done = stage === undefined;
      this.#context.decide({ kind: 'prepare', version, changes, done });
    }
    return asked.obstacle === '' ? null : (asked.obstacle ?? 'not-ready');
  }

  /** Whether the host has said that something is in the way of that version. */
  isHindered(version: number): boolean {
    return (this.#asked.get(version)?.obstacle ?? '') !== '';
  }
}
