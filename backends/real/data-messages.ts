/** What the core's main thread and a volume's Worker say to each other. */
import type { VolumeConfig } from '../../engine/core/config.ts';
import type { BootId, NodeId } from '../../engine/core/units.ts';
import type { DataCommand, DataReport } from '../../engine/data/messages.ts';
import type { SpillStatus } from './native.ts';

/** A peer's replication socket; hosts are numeric. */
export interface PeerAddress {
  readonly node: NodeId;
  readonly host: string;
  readonly port: number;
}

/** What a Worker needs to know to open its replica. */
export interface DataStart {
  readonly volume: VolumeConfig;
  /** What its replica may still be laid out for; null for nothing else. */
  readonly before: VolumeConfig | null;
  /** File in which a conversion of the replica is written down before it is begun. */
  readonly conversion: string;
  readonly node: NodeId;
  readonly boot: BootId;
  readonly session: number;
  /** The cluster key; the addon derives its own from it. */
  readonly key: Uint8Array;
  readonly listen: PeerAddress;
  readonly peers: readonly PeerAddress[];
  /** File of its flight recorder. */
  readonly flight: string;
  /** File that remembers that its replica was open. */
  readonly memory: string;
  /** Version of the program. */
  readonly build: string;
}

export type ToData =
  /** First of all; the thread may have waited for it since long. */
  | { readonly kind: 'start'; readonly start: DataStart }
  | { readonly kind: 'command'; readonly command: DataCommand }
  | { readonly kind: 'close' };

/** Counters of a reactor by name, and how it works. */
export type DataStats = Readonly<Record<string, number | string | boolean>>;

export type FromData =
  /**
   * The actor runs; write to `wakeFd` after each message. The replica is open, or cannot be reached
   * for the reason `away`, '' otherwise; then `wakeFd` is -1 and nothing needs to be woken.
   */
  | { readonly kind: 'started'; readonly wakeFd: number; readonly away: string }
  | { readonly kind: 'reports'; readonly reports: readonly DataReport[] }
  | {
      readonly kind: 'stats';
      readonly stats: DataStats;
      /** Absent until the reactor runs. */
      readonly spills?: readonly SpillStatus[];
    }
  /** A person has to act; nothing was written. */
  | { readonly kind: 'refused'; readonly reason: string; readonly remedy: string }
  | { readonly kind: 'broke'; readonly reason: string }
  | { readonly kind: 'closed' };
