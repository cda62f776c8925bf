/** One host's account of itself and of its cluster: what the local socket answers to `status`. */
import type { ClusterStatus } from '../../engine/cluster/interface.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import type { BootId, Micros, NodeId } from '../../engine/core/units.ts';
import type { DataStats } from './data-messages.ts';
import type { GuardState } from './guard-state.ts';
import type { SpillStatus } from './native.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { ApplicationState } from './supervision.ts';
import type { ControlCounters } from './udp-control.ts';

export interface PartStatus {
  readonly part: string;
  readonly sizeBytes: number;
  /** File or block device that has it here. */
  readonly path: string;
  /** NBD addresses, which answer where the volume is led. */
  readonly uris: readonly string[];
}

export interface HostStatus {
  readonly node: string;
  readonly cluster: string;
  readonly build: string;
  readonly boot: BootId;
  readonly session: number;
  /** The host's clock, to which the times of `status` belong. */
  readonly now: Micros;
  readonly processes: {
    readonly core: ProcessIdentity;
    readonly monitor: ProcessIdentity | null;
    readonly guardian: ProcessIdentity | null;
    readonly monitorRestarts: number;
    readonly coreRestarts: number;
    readonly guardianRestarts: number;
  };
  /** Device, or 'none'. */
  readonly watchdog: string;
  /** What it is really doing. */
  readonly guard: GuardState;
  /** Names of nodes by number. */
  readonly names: Readonly<Record<string, string>>;
  readonly status: ClusterStatus;
  readonly applications: readonly ApplicationState[];
  /** What the control transport sent, took and dropped. */
  readonly control: ControlCounters;
  /** Peers that are not heard, because they run another configuration. */
  readonly otherConfig: readonly NodeId[];
  /** What runs here, and whether the file that the node was started with says something else. */
  readonly config: ClusterConfig;
  readonly fileDiffers: boolean;
  /** Files and devices that this node's replicas stand on. */
  readonly places: readonly string[];
  /** What each volume's reactor counted. */
  readonly volumes: Readonly<Record<string, DataStats>>;
  /** Of volumes that may spill: what has become of that, for each asynchronous replica. */
  readonly spills?: Readonly<Record<string, readonly SpillStatus[]>>;
  /** Of volumes with parts that have a replica here: each part and where clients reach it. */
  readonly parts?: Readonly<Record<string, readonly PartStatus[]>>;
  readonly timelineFailures: number;
}
