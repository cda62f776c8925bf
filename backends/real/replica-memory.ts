/**
 * Remembers that this node has had a replica open, beside its other state: what is then wrong with
 * it is judged otherwise (backends/real/replica-path.ts). Holds nothing of the replica itself, and
 * losing it costs no more than a start that a person has to look at.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ReplicaConfig, VolumeConfig } from '../../engine/core/config.ts';
import type { BootId } from '../../engine/core/units.ts';
import { mirrorConfig } from './mirror-config.ts';
import type { Acquaintance } from './replica-path.ts';

/** Where it stands in a node's folder. */
export function memoryFileName(volume: string): string {
  return `${volume}.replica.json`;
}

/** `identity` stands for all that the configuration says of the replica. */
interface Remembered {
  readonly identity: string;
  readonly boot: BootId;
}

export class ReplicaMemory {
  readonly #path: string;
  readonly #now: Remembered;

  constructor(path: string, volume: VolumeConfig, replica: ReplicaConfig, boot: BootId) {
    // The engine knows nothing of names and sizes of parts, and the disks are judged by them.
    const parts = volume.parts === undefined ? [] : [volume.parts];
    // What clients see of it makes it no other replica.
    const { servedBytes: _, ...made } = mirrorConfig(volume, replica.node);
    const all = JSON.stringify([made, replica, ...parts]);
    this.#path = path;
    this.#now = { identity: createHash('sha256').update(all).digest('hex'), boot };
  }

  /** When it was open last, under the present configuration. */
  get known(): Acquaintance {
    const before = this.#read();
    if (before?.identity !== this.#now.identity) return 'never';
    return before.boot === this.#now.boot ? 'in-this-boot' : 'in-another-boot';
  }

  /** It is open now. A folder that cannot be written keeps nobody from serving. */
  note(): void {
    if (this.known === 'in-this-boot') return;
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#now), { mode: 0o600, flush: true });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {}
  }

  #read(): Remembered | null {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Remembered;
    } catch {
      return null;
    }
  }
}
