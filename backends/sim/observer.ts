/**
 * What the simulated world tells those who watch it: moments of the hosts that no engine reports
 * about itself. Watchers change nothing.
 */

import type { NodeId } from '../../engine/core/units.ts';
import type { DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import type { CacheLoss } from './disk-options.ts';
import type { Moment } from './fault.ts';

/** State of an application on one host, as its processes are, not as anybody believes. */
export type ApplicationState = 'stopped' | 'starting' | 'running' | 'stopping';

/** Everything that can be watched. `leg` is a replica: a volume on a node. */
export interface Observer {
  /** A data actor is about to read its metadata: from then on it knows what is there. */
  attaching(leg: number): void;
  /** A committed record reached the data actor. */
  record(leg: number, record: VolumeRecord): void;
  /** The data actor may act as primary until then, on its host's clock. */
  grant(leg: number, until: number): void;
  /** The data actor reports something to its control actor. */
  report(leg: number, report: DataReport): void;
  /** The data actor hears that its link to a node is up. */
  linkUp(leg: number, peer: number): void;
  /** A replica accepted a peer's write of this epoch (status 0). */
  peerAck(leg: number, epoch: number): void;
  /** A front-end request was answered; the slot still holds the sectors of a read. */
  completed(leg: number, slot: number, status: number): void;
  /** A node does what a fault may wait for. */
  moment(moment: Moment, node: NodeId): void;
  /** A core lives anew, or died: its requests will never be answered. */
  coreStarted(node: NodeId): void;
  coreDied(node: NodeId): void;
  /** A write or flush of a disk failed, and nobody but this one knows what became of its cache. */
  diskFailed(leg: number, loss: CacheLoss): void;
  /** A core died, and with it writes that it had acknowledged to a peer and not written. */
  receiptLost(leg: number): void;
  /** Just before a core is killed or power fails; answers whether any I/O is under way there. */
  crashing(node: NodeId, writesInFlight: boolean): boolean;
  /** Just after a host's power failed: caches are gone. */
  powerLost(node: NodeId, ioInFlight: boolean): void;
  application(group: number, node: NodeId, state: ApplicationState): void;
  /** An actor found a belief of its own broken. */
  brokenBelief(node: NodeId, belief: string): void;
  /** More messages of this kind left one host than a sound engine sends. */
  storm(node: NodeId, kind: string): void;
}
