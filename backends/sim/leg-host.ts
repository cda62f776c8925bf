/** What a simulated replica needs of the host it is on, and the room that its data actor gets. */
import type { AbiLayout } from '../../engine/data/abi.ts';
import type { DataReport } from '../../engine/data/messages.ts';
import type { SimClock } from './clock.ts';
import { SECTOR_BYTES } from './disk.ts';

/** What a replica needs of the host it is on. */
export interface LegHost {
  readonly node: number;
  readonly clock: SimClock;
  /** Rises with every start of the core. */
  readonly coreLife: number;
  coreAlive(): boolean;
  coreRunning(): boolean;
  nextLink(): number;
  /** Passes a report to the control actor. */
  report(leg: number, report: DataReport): void;
  /** An actor threw: the core ends. */
  broke(belief: string): void;
  /** Keeps an entry until the core runs again. */
  park(entry: number): void;
}

/** Slots and pages that a simulated data actor gets. */
export const SIM_LAYOUT: AbiLayout = {
  events: 64,
  decisions: 8 * 64 + 64,
  frontSlots: 24,
  peerSlots: 32,
  engineSlots: 10,
  slotBytes: 65536,
  inPages: 64,
  outPages: 64,
};

export const SLOT_SECTORS: number = SIM_LAYOUT.slotBytes / SECTOR_BYTES;
