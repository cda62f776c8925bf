/**
 * By which versions of the configuration this host's next core could run: the host looks, since it
 * alone knows its disks and addresses. It is asked again as long as something stands in the way.
 */
import type { Micros } from '../core/units.ts';
import type { Agreed } from './changes.ts';
import type { Context } from './context.ts';

interface Asked {
  at: Micros;
  /** In the host's words, '' where nothing is in the way, null before it has answered. */
  obstacle: string | null;
}

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
  obstacle({ version, changes }: Agreed): string | null {
    const { now, timing } = this.#context;
    let asked = this.#asked.get(version);
    if (asked?.obstacle === '') return null;
    // It looks at disks: not more often than a person could have seen to it.
    if (asked === undefined || now >= asked.at + timing.heartbeat) {
      asked = { at: now, obstacle: asked?.obstacle ?? null };
      this.#asked.set(version, asked);
      this.#context.decide({ kind: 'prepare', version, changes });
    }
    return asked.obstacle ?? 'not-ready';
  }

  /** Whether the host has said that something is in the way of that version. */
  isHindered(version: number): boolean {
    return (this.#asked.get(version)?.obstacle ?? '') !== '';
  }
}
