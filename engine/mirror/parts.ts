/** The parts of one data actor, by which they find each other. */
import type { ActivityLog } from './activity-log.ts';
import type { ReadBalance } from './balance.ts';
import type { Barrier } from './barrier.ts';
import type { CanarySwitches } from './canaries.ts';
import type { MirrorConfig } from './config.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { Flushes } from './flushes.ts';
import type { Follower } from './follower.ts';
import type { Meters } from './meters.ts';
import type { Partners } from './partner.ts';
import type { PeerReads } from './peer-read.ts';
import type { PeerWrites } from './peer-write.ts';
import type { Quiesce } from './quiesce.ts';
import type { RangeLock } from './range-lock.ts';
import type { Repair } from './repair.ts';
import type { Slots } from './request.ts';
import type { ResyncSource } from './resync-source.ts';
import type { ResyncTarget } from './resync-target.ts';
import type { RoleMachine } from './role.ts';
import type { MirrorState } from './state.ts';
import type { Store } from './store.ts';
import type { Sums } from './sums.ts';
import type { Turn } from './turn.ts';
import type { Verify } from './verify.ts';
import type { FrontWrites } from './write-path.ts';

export interface Parts {
  readonly config: MirrorConfig;
  readonly canary: CanarySwitches;
  readonly state: MirrorState;
  readonly turn: Turn;
  readonly slots: Slots;
  readonly locks: RangeLock;
  readonly partners: Partners;
  readonly follower: Follower;
  readonly log: ActivityLog;
  readonly store: Store;
  /** Null where the volume has no checksums. */
  readonly sums: Sums | null;
  readonly barrier: Barrier;
  readonly watch: DiskWatch;
  readonly flushes: Flushes;
  readonly writes: FrontWrites;
  readonly peers: PeerWrites;
  readonly reads: PeerReads;
  readonly repair: Repair;
  readonly balance: ReadBalance;
  readonly verify: Verify;
  readonly quiesce: Quiesce;
  readonly meters: Meters;
  readonly source: ResyncSource;
  readonly target: ResyncTarget;
  readonly role: RoleMachine;
}
