/**
 * Messages between control actors. In production each travels as one authenticated UDP datagram
 * of JSON (cli and tests never build them by hand); in simulation as the object itself, treated
 * as immutable.
 *
 * The cluster engine owns this file; everything else only carries `ControlMessage`. What arrives
 * from a network goes through `parseControlMessage` (message-parser.ts) first.
 */
import type { BootId, Epoch, Generation, Micros, NodeId } from '../core/units.ts';
import type { Branch, DataReport, DiskState, Member } from '../data/messages.ts';
import type { CommandRef, GenesisEntry } from './entries.ts';
import type { LogCommand } from './interface.ts';
import type { Attestation } from './lease.ts';
import type { LogEntry } from './raft-log.ts';
import type { ClusterState } from './state.ts';
import type { VerifyNote } from './verify-note.ts';

interface Base {
  /** Boot of the sender's host. */
  readonly boot: BootId;
  /** Life of the sender's core. */
  readonly life: number;
  /** The sender's timeline event behind it, '' when none. */
  readonly event: string;
}

/**
 * One per peer, link and interval. It is at once the link's probe, the leader's keep-alive, a
 * follower's acknowledgement and the renewal of the sender's lease.
 */
export interface Heartbeat extends Base {
  readonly kind: 'heartbeat';
  readonly identity: number;
  /** Sender's clock; names the heartbeat, and is the renewal's send time. */
  readonly sent: Micros;
  /** The receiver's life that `heard` is about, 0 when none was heard. */
  readonly yours: number;
  /** The newest `sent` heard from the receiver on this link, -1 for none. */
  readonly heard: Micros;
  readonly term: number;
  readonly leader: NodeId;
  readonly commit: number;
  /** Up to where the sender's durable log agrees with the leader of `term`. */
  readonly matched: number;
  /** Version of the sender's facts, and the receiver's version that the sender has. */
  readonly facts: number;
  readonly factsHeard: number;
  /** The lease epoch in which the sender renews its lease, 0 when it asks for none. */
  readonly lease: number;
  /** Peers whose links are up, as the sender sees them. */
  readonly hears: readonly NodeId[];
}

export interface VoteMessage extends Base {
  readonly kind: 'vote';
  readonly term: number;
  /** A question only: changes nothing at the voter. */
  readonly pre: boolean;
  readonly last: number;
  readonly lastTerm: number;
}

export interface VoteAckMessage extends Base {
  readonly kind: 'vote-ack';
  readonly term: number;
  readonly pre: boolean;
  readonly granted: boolean;
  readonly identity: number;
}

export interface AppendMessage extends Base {
  readonly kind: 'append';
  readonly term: number;
  readonly previous: number;
  readonly previousTerm: number;
  readonly entries: readonly LogEntry[];
  readonly commit: number;
}

export interface AppendAckMessage extends Base {
  readonly kind: 'append-ack';
  readonly term: number;
  readonly ok: boolean;
  /** Of the append that is answered: a refusal comes once per link and counts once. */
  readonly previous: number;
  /** When `ok`: durable agreement; else where to try again. */
  readonly matched: number;
  readonly identity: number;
}

export interface SnapshotMessage extends Base {
  /**
   * Of another kind where the configuration was changed online: a program that knows nothing of
   * that would take the state without it.
   */
  readonly kind: 'snapshot' | 'agreed-snapshot';
  readonly term: number;
  readonly index: number;
  readonly indexTerm: number;
  readonly state: ClusterState;
}

export interface LeaseAckMessage extends Base {
  readonly kind: 'lease-ack';
  /** The holder's life and the send time of its renewal. */
  readonly of: number;
  readonly sent: Micros;
  readonly identity: number;
}

export interface AttestRequestMessage extends Base {
  readonly kind: 'attest-request';
  readonly node: NodeId;
  readonly lease: number;
}

export interface AttestMessage extends Base {
  readonly kind: 'attest';
  readonly node: NodeId;
  readonly lease: number;
  readonly identity: number;
}

/** What a node's control knows of one of its replicas. */
export interface VolumeFacts {
  readonly volume: string;
  readonly attached: boolean;
  readonly disk: DiskState;
  readonly generation: Generation;
  readonly epoch: Epoch;
  readonly want: Want | null;
  /** Its disk failed in this boot: it may lack acknowledged writes, as after a loss of power. */
  readonly doubted: boolean;
  /** And if it does, then only what an earlier core of it had received. Absent if not so. */
  readonly lacking?: boolean;
  /** Its disk failed, and it goes on through other members, or is about to. Absent if not so. */
  readonly proxies?: boolean;
  /** What it says of its branch while the other replica's is another one. Absent if not so. */
  readonly branch?: Branch;
  /** The branch that was given up and is kept there; absent for none. */
  readonly keptBranch?: KeptBranchNote;
  /** Whether it has what the order of its record keeps; absent where none keeps it. */
  readonly keeps?: boolean;
  /** How far a comparison of the replicas has come; absent where none was heard of. */
  readonly verify?: VerifyNote;
  /**
   * The record in which it leads, with everything stable that it acknowledged before. Said only
   * while a change of the configuration waits to begin.
   */
  readonly active?: Epoch;
  /**
   * The disk that it has open: 32 bits of its identity. Said as soon as something of the
   * configuration was changed online; absent before, and where nobody knows it.
   */
  readonly device?: number;
}

/** As much of a {@link KeptBranch} as other nodes need to know. */
export interface KeptBranchNote {
  /** 0 where it can not be read. */
  readonly generation: Generation;
  /** A copy to that replica waits until it is dropped. */
  readonly holds: boolean;
}

/** A data actor's wish; its members carry the boots that were known when it was uttered. */
export interface Want {
  readonly epoch: Epoch;
  readonly members: readonly Member[];
  readonly reason: Extract<DataReport, { kind: 'want' }>['reason'];
  readonly cause: string;
  /** Blocks that the primary wrote without the member that it wants; absent for none. */
  readonly changed?: number;
}

/** What a node's executor says of one group; epochs are the group's, 0 for "not so". */
export interface GroupFacts {
  readonly group: string;
  readonly running: Epoch;
  /** Its data is ready in this epoch: flushed, with the generation durable. */
  readonly active: Epoch;
  readonly stopped: Epoch;
  readonly failed: Epoch;
  /** Running without trouble for long enough to forgive earlier failures. */
  readonly stable: Epoch;
  readonly stopFailed: boolean;
  /** Nothing of the group runs here: no application, no active data. */
  readonly clean: boolean;
  /** The data actor restarted in this epoch: it must be granted anew. */
  readonly readopt: Epoch;
  readonly event: string;
}

/** Level-triggered: repeated until the receiver's heartbeat shows the version. */
export interface FactsMessage extends Base {
  readonly kind: 'facts';
  readonly version: number;
  readonly identity: number;
  readonly formed: boolean;
  /** Version of the configuration that it has in use; absent for that of its file. */
  readonly config?: number;
  /** Version by which its next core could run, where that is a later one. */
  readonly ready?: number;
  readonly attested: readonly Attestation[];
  readonly volumes: readonly VolumeFacts[];
  readonly groups: readonly GroupFacts[];
}

export interface GenesisOfferMessage extends Base {
  readonly kind: 'genesis-offer';
  readonly entry: GenesisEntry;
}

export interface GenesisAcceptMessage extends Base {
  readonly kind: 'genesis-accept';
  readonly proposer: number;
  readonly ballot: number;
  readonly identity: number;
}

export interface GenesisCommitMessage extends Base {
  readonly kind: 'genesis-commit';
  readonly proposer: number;
  readonly ballot: number;
}

export interface CommandMessage extends Base {
  readonly kind: 'command';
  readonly ref: CommandRef;
  readonly command: LogCommand;
}

export interface CommandRefusedMessage extends Base {
  readonly kind: 'command-refused';
  readonly ref: CommandRef;
  readonly reason: string;
  readonly remedy: string;
}

/** To a node whose own links to the origin are down, through one that hears both. */
export interface RelayMessage extends Base {
  readonly kind: 'relay';
  readonly from: NodeId;
  readonly to: NodeId;
  readonly inner: DirectMessage;
}

export type DirectMessage =
  | Heartbeat
  | VoteMessage
  | VoteAckMessage
  | AppendMessage
  | AppendAckMessage
  | SnapshotMessage
  | LeaseAckMessage
  | AttestRequestMessage
  | AttestMessage
  | FactsMessage
  | GenesisOfferMessage
  | GenesisAcceptMessage
  | GenesisCommitMessage
  | CommandMessage
  | CommandRefusedMessage;

/** Any control message. `kind` routes it; `event` is the sender's event id, for causes. */
export type ControlMessage = DirectMessage | RelayMessage;
