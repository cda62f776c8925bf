/**
 * The entries of the replicated log. Each is compare-and-set: it names the serial or epoch that it
 * was decided against, and one that lost its race changes nothing when it is applied.
 */
import type { BootId, Epoch, NodeId } from '../core/units.ts';
import type { Member, VolumeRecord } from '../data/messages.ts';
import type { ConfigChange } from './changes.ts';

/** A voter as the committed configuration knows it: blank disks get a new identity. */
export interface Voter {
  readonly node: NodeId;
  readonly identity: number;
  /** Identities that this voter lost with its disk; none of them is ever admitted again. */
  readonly past: readonly number[];
}

/** Why an owner may be replaced (design.md §3.4). */
export type Proof =
  /** There was no owner. */
  | { readonly kind: 'none' }
  /** The owner goes on itself: its core or its data actor restarted while the host lived. */
  | { readonly kind: 'self'; readonly node: NodeId }
  /** The owner was told to stop in this epoch and confirmed it. */
  | { readonly kind: 'stopped'; readonly node: NodeId; readonly epoch: Epoch }
  /** The owner's core restarted, owns by an earlier life only, and says that it runs nothing. */
  | { readonly kind: 'idle'; readonly node: NodeId; readonly life: number }
  /** The owner's host has a new boot, and its core says that it runs nothing. */
  | { readonly kind: 'rebooted'; readonly node: NodeId; readonly boot: BootId }
  /** A majority of voters attested that the owner's lease has run out. */
  | {
      readonly kind: 'lease-expired';
      readonly node: NodeId;
      readonly lease: number;
      readonly voters: readonly { readonly node: NodeId; readonly identity: number }[];
    }
  /** No proof at all: only the planted bug 'start-before-stop' writes this. */
  | { readonly kind: 'assumed'; readonly node: NodeId };

/** How far a group is. 'stopped' was asked for by a person; 'offline' waits for a node. */
export type Phase = 'offline' | 'starting' | 'online' | 'stopping' | 'stopped';

/** Why only a person, or a node that is away, can help. Codes; prose stands in the catalogue. */
export interface Blocked {
  readonly reason: string;
  readonly remedy: string;
}

/** What the log says of one group. */
export interface GroupState {
  readonly group: string;
  /** Rises with every change; entries compare it. */
  readonly serial: number;
  /** Rises with every change of owner or of the owner's life. */
  readonly epoch: Epoch;
  /** 0 for none. */
  readonly owner: NodeId;
  /** The life of the owner's host and of its core that own it: any other life owns nothing. */
  readonly ownerBoot: BootId;
  readonly ownerLife: number;
  /** Epoch of the volume's record when this ownership began. */
  readonly recordEpoch: Epoch;
  /**
   * The in-sync set that still counts while a taker that is alone has not flushed what it
   * acknowledged as one of several (RULE-11): it gets no grant before. Empty when it has.
   */
  readonly base: readonly Member[];
  readonly phase: Phase;
  readonly wanted: 'run' | 'stop';
  /** Where to go after a stop, 0 for wherever placement says. */
  readonly target: NodeId;
  /** Who owned it last: preferred. */
  readonly last: NodeId;
  /** Nodes on which the application failed for good. */
  readonly failed: readonly NodeId[];
  readonly blocked: Blocked | null;
}

/** A person's command behind an entry, so that its origin can answer. */
export interface CommandRef {
  readonly node: NodeId;
  readonly life: number;
  readonly id: number;
}

/** `event` is the id of the timeline event with which the proposer decided it. */
export type Entry =
  | { readonly kind: 'noop'; readonly event: string }
  | {
      readonly kind: 'genesis';
      readonly event: string;
      /** Proposer's identity and attempt: which of several offers this is. */
      readonly proposer: number;
      readonly ballot: number;
      readonly voters: readonly Voter[];
      readonly volumes: readonly VolumeRecord[];
      readonly boots: readonly { readonly node: NodeId; readonly boot: BootId }[];
    }
  | {
      readonly kind: 'readmit';
      readonly event: string;
      readonly node: NodeId;
      readonly was: number;
      readonly identity: number;
    }
  | {
      readonly kind: 'volume';
      readonly event: string;
      readonly from: Epoch;
      readonly record: VolumeRecord;
      readonly reason: string;
      /** Blocks that were written alone in the record's generation; absent for none. */
      readonly changed?: number;
      /** A person's command behind it; absent for none. */
      readonly command?: CommandRef;
      /** What of the configuration whoever is admitted has in use; absent for nothing. */
      readonly inUse?: number;
    }
  | {
      /** The configuration changes; `from` is the version that it was decided against. */
      readonly kind: 'config';
      readonly event: string;
      readonly from: number;
      readonly change: ConfigChange;
      readonly command: CommandRef | null;
    }
  | {
      /**
       * What becomes of the change that made version `of`: whoever leads has shown that it may
       * begin, under the record of epoch `record`; it is in use; or a person takes it back.
       */
      readonly kind: 'config-step';
      readonly event: string;
      readonly of: number;
      readonly to: 'begun' | 'done' | 'withdrawn';
      readonly record: Epoch;
      readonly command: CommandRef | null;
    }
  | {
      readonly kind: 'group';
      readonly event: string;
      readonly from: number;
      readonly next: GroupState;
      /** The volume's next record, moving in the same entry. */
      readonly record: VolumeRecord | null;
      readonly recordFrom: Epoch;
      readonly proof: Proof;
      readonly command: CommandRef | null;
    }
  | {
      /** Ends the attestations about a node without an owner change. */
      readonly kind: 'settle';
      readonly event: string;
      readonly node: NodeId;
      readonly lease: number;
    }
  | {
      readonly kind: 'boot';
      readonly event: string;
      readonly node: NodeId;
      readonly was: BootId;
      readonly boot: BootId;
    };

export type GenesisEntry = Extract<Entry, { kind: 'genesis' }>;
