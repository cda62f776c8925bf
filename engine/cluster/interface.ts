/**
 * What a control actor is told and what it decides: plain objects, one actor per host. A witness
 * runs the same actor without volumes and groups.
 */
import type { SplitPolicy } from '../core/config.ts';
import type { BootId, Epoch, Generation, Micros, NodeId } from '../core/units.ts';
import type {
  Branch,
  DataCommand,
  DataReport,
  DiskState,
  FailingReason,
  KeptBranch,
  Lag,
  LostBranch,
  Meters,
  VerifyLevel,
  VerifyReport,
  VolumeRecord,
  WayBack,
} from '../data/messages.ts';
import type { ApplicationWord } from '../ports/application.ts';
import type { TimelineEvent } from '../timeline/event.ts';
import type { BranchFate } from './branch-fate.ts';
import type { AgreedChange, ConfigChange, Stage } from './changes.ts';
import type { ControlMessage, KeptBranchNote } from './messages.ts';
import type { Choice, Side } from './split-brain.ts';

/** State that outlives the process: one JSON-like document, replaced as a whole. */
export type Durable = { readonly [key: string]: unknown };

/** What a control actor hears. */
export type ControlInput =
  | {
      /**
       * First input of each session. `durable` is what was persisted last, null on an empty disk.
       * `boot` is the host's life; `session` counts starts of the core in the durable store's
       * life and is used for event ids.
       */
      readonly kind: 'start';
      readonly boot: BootId;
      readonly session: number;
      readonly durable: Durable | null;
    }
  | {
      /** A peer's message over link number `link`; authenticated and not a replay. */
      readonly kind: 'message';
      readonly from: NodeId;
      readonly link: number;
      readonly message: ControlMessage;
    }
  | {
      /** The wake-up asked for is due. */
      readonly kind: 'wake';
    }
  | {
      /** Persist number `token` and all before it are durable. */
      readonly kind: 'persisted';
      readonly token: number;
    }
  | {
      /** A data actor of this host reports. */
      readonly kind: 'data';
      readonly report: DataReport;
    }
  | {
      /** The data actor of `volume` (re)started; it will report Attached. */
      readonly kind: 'data-started';
      readonly volume: string;
    }
  | {
      /** The monitor reports an application's state; sent on change and after its (re)start. */
      readonly kind: 'application';
      readonly group: string;
      /** The epoch it was started under, 0 when not running. */
      readonly epoch: Epoch;
      readonly state: ApplicationWord;
    }
  | {
      /**
       * What a `prepare` decision asked: an empty reason says that the next core of this host can
       * run by it.
       */
      readonly kind: 'prepared';
      readonly version: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'operator';
      /** Command id, echoed in an `answer` decision. */
      readonly id: number;
      readonly command: OperatorCommand;
    };

/** Commands of people; all are audited as timeline events. */
export type OperatorCommand =
  | { readonly kind: 'status' }
  | { readonly kind: 'switch'; readonly group: string; readonly to: NodeId }
  | { readonly kind: 'stop-group'; readonly group: string }
  | { readonly kind: 'start-group'; readonly group: string }
  | {
      /** Compare the replicas, from the node that leads the volume: see {@link VerifyOrder}. */
      readonly kind: 'verify';
      readonly volume: string;
      readonly level: VerifyLevel;
      readonly from: number;
      readonly repair: boolean;
      readonly bytesPerSecond: number;
    }
  | { readonly kind: 'verify-stop'; readonly volume: string }
  /** Go on where the last one was interrupted, or stopped. */
  | { readonly kind: 'verify-resume'; readonly volume: string }
  /** Put back, on the node that takes it, the image that an unfinished copy has overwritten. */
  | { readonly kind: 'return-replica'; readonly volume: string }
  /** Drop the branch of that generation, which is kept on the node that takes it. */
  | { readonly kind: 'drop-branch'; readonly volume: string; readonly generation: Generation }
  | {
      /** Hold a quiesce point of volumes that this node leads: see {@link QuiesceOrder}. */
      readonly kind: 'quiesce';
      readonly volumes: readonly string[];
      /** For how long at most. */
      readonly micros: Micros;
    }
  /** Let the point go; the answer says whether it stood until now. */
  | { readonly kind: 'resume'; readonly point: number }
  | {
      /**
       * Give up the branch of the replica that is not on `keep`. Everything else is what a person
       * looked at: with any other data the order means nothing.
       */
      readonly kind: 'resolve';
      readonly volume: string;
      readonly keep: NodeId;
      readonly keeps: Generation;
      readonly discards: Generation;
      /** Of the volume's record: whatever was decided since, the person has not seen. */
      readonly epoch: Epoch;
      /** So many blocks of it are dirty at most; -1: whatever is written until it is stopped. */
      readonly atMost: number;
      /** Also where the two have nothing in common: strangers' data are overwritten. */
      readonly adopt: boolean;
    }
  | {
      /** Take back the order of that name, while nothing has been overwritten by it. */
      readonly kind: 'take-back';
      readonly volume: string;
      readonly order: Epoch;
    }
  | {
      /** Change the configuration, of which the person has seen version `from`. */
      readonly kind: 'configure';
      readonly from: number;
      readonly change: ConfigChange;
    }
  | {
      /**
       * Lead from the replica of `to`, which is not in sync, while nobody is heard who is: what
       * those alone have is given up.
       */
      readonly kind: 'take-over';
      readonly volume: string;
      readonly to: NodeId;
      /** Of the volume's record: whatever was decided since, the person has not seen. */
      readonly epoch: Epoch;
    };

/** Those about a group. */
export type ConfigureCommand = Extract<OperatorCommand, { readonly kind: 'configure' }>;
export type GroupCommand = Extract<OperatorCommand, { readonly group: string }>;
export type ResolveCommand = Extract<OperatorCommand, { readonly kind: 'resolve' }>;
export type TakeBackCommand = Extract<OperatorCommand, { readonly kind: 'take-back' }>;
export type TakeOverCommand = Extract<OperatorCommand, { readonly kind: 'take-over' }>;
/** Those that become entries of the log, and are answered by whoever took them. */
export type LogCommand =
  | GroupCommand
  | ResolveCommand
  | TakeBackCommand
  | TakeOverCommand
  | ConfigureCommand;
/** Those that concern the data actors of the node that takes them. */
export type VerifyCommand = Extract<
  OperatorCommand,
  { readonly kind: 'verify' | 'verify-stop' | 'verify-resume' }
>;
export type QuiesceCommand = Extract<OperatorCommand, { readonly kind: 'quiesce' | 'resume' }>;
/** Those that concern the copy of the node that takes them. */
export type OwnCopyCommand = Extract<
  OperatorCommand,
  { readonly kind: 'return-replica' | 'drop-branch' }
>;

/** What a control actor decides. Decisions are carried out in order. */
export type ControlDecision =
  | {
      /** Send to one node, on one link (0..n-1) or on all. Datagrams: may be lost, duplicated. */
      readonly kind: 'send';
      readonly to: NodeId;
      readonly link: number | 'all';
      readonly message: ControlMessage;
    }
  | {
      /**
       * Replace the durable document. Decisions after this one that must not be seen before it is
       * durable are held back by the actor itself until `persisted` arrives.
       */
      readonly kind: 'persist';
      readonly token: number;
      readonly durable: Durable;
    }
  | {
      /** Deliver `wake` at this time; replaces the one before. */
      readonly kind: 'wake-at';
      readonly at: Micros;
    }
  | {
      /**
       * The guardian may pet the watchdog until `until`; `armed` only while this node owns
       * something. With `armed` false the watchdog is disarmed.
       */
      readonly kind: 'guardian';
      readonly armed: boolean;
      readonly until: Micros;
    }
  | {
      readonly kind: 'to-data';
      readonly volume: string;
      readonly command: DataCommand;
    }
  | {
      /**
       * To the monitor: run the application under `epoch`, only while now < `until`. Repeated
       * with later `until` as the lease is renewed (`renew`); the monitor stops it by itself when
       * `until` passes.
       */
      readonly kind: 'application';
      readonly group: string;
      readonly action: 'start' | 'stop' | 'renew';
      readonly epoch: Epoch;
      readonly until: Micros;
      readonly cause: string;
    }
  | { readonly kind: 'event'; readonly event: TimelineEvent }
  | {
      /**
       * See whether the next core of this host could run by these changes, which are version
       * `version`, and say so (`prepared`). Repeated until they are taken into use. `done` is false
       * while the last of them is not: what it brings is new then.
       */
      readonly kind: 'prepare';
      readonly version: number;
      readonly changes: readonly AgreedChange[];
      readonly done: boolean;
    }
  /** These changes are in use from now on, without another core: the host's own view follows. */
  | {
      readonly kind: 'config-taken';
      readonly version: number;
      readonly changes: readonly AgreedChange[];
    }
  /** End this core at once, to be started again as after any other death: what follows is void. */
  | {
      readonly kind: 'restart-core';
      readonly why: 'lost-path' | 'config';
      readonly cause: string;
    }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: OperatorAnswer };

/** How far this node is with the agreed configuration. */
export interface ConfigStatus {
  /** The one that is agreed on, and the one that this node has in use. */
  readonly agreed: number;
  readonly inUse: number;
  readonly changes: readonly AgreedChange[];
  /** How far the last one is; absent where it is in use. */
  readonly stage?: Stage;
  /** What the next one waits for here: a code, or words of the host; absent for nothing. */
  readonly waits?: { readonly reason: string; readonly node: NodeId };
  /** What other nodes have in use, as they last said. */
  readonly others: readonly { readonly node: NodeId; readonly inUse: number }[];
}

/** One node's view, for `understudy status` and the console. */
export interface ClusterStatus {
  readonly node: NodeId;
  readonly leader: NodeId;
  readonly term: number;
  readonly committed: number;
  /** The guarantee in force: 'data+service' with an armed watchdog, else 'data'. */
  readonly exclusivity: 'data+service' | 'data';
  readonly lease: { readonly until: Micros; readonly held: boolean };
  /** The configuration that the log agrees on. Absent where nothing was ever changed. */
  readonly config?: ConfigStatus;
  readonly peers: readonly {
    readonly node: NodeId;
    readonly up: boolean;
    readonly links: readonly { readonly up: boolean; readonly heard: Micros }[];
  }[];
  readonly volumes: readonly (VolumeRecord & {
    /** A write completes when members have received it. Absent where they must have written it. */
    readonly mode?: 'semi-sync';
    /**
     * Nodes whose replicas are sent writes that nothing waits for, but for a member (one that took
     * over). Absent where there is none.
     */
    readonly asynchronous?: readonly NodeId[];
    readonly local: {
      readonly disk: string;
      readonly role: string;
      readonly link: string;
      readonly dirty: number;
      /** A write or flush failed here since the data were last proved: not trusted alone. */
      readonly doubted: boolean;
      /** Its disk is likely to fail soon, and why. Absent when it is not so. */
      readonly failing?: FailingReason;
      /** It failed because the path to it is lost; it is tried again. Absent when it is not so. */
      readonly pathLost?: true;
      /** Its disk failed, and the volume is served through other replicas. Absent if not so. */
      readonly proxies?: true;
      /** Its last verification in this life of the core; absent when there was none. */
      readonly verify?: VerifyReport;
      /** What requests took in the last second with any, or that they ended; absent before any. */
      readonly meters?: Meters;
      /** How long until it is compared by itself; absent where it is not, or not led here. */
      readonly nextVerify?: Micros;
      /** What became of the image that a copy is overwriting; absent while none is. */
      readonly wayBack?: WayBack;
      /** The branch that was given up and is kept here; absent where there is none. */
      readonly keptBranch?: KeptBranch;
      /** The last branch that was given up and could not be kept here; absent for none. */
      readonly lostBranch?: LostBranch;
      /**
       * How far asynchronous replicas are behind, by this node's word; absent while it sends none.
       */
      readonly lags?: readonly ({ readonly node: NodeId } & Lag)[];
    } | null;
    /**
     * Nodes whose replicas keep a branch that was given up; which of them it `holds`, so that no
     * copy to it begins until a person drops it. Absent where none is heard of.
     */
    readonly keptBranches?: readonly ({ readonly node: NodeId } & KeptBranchNote)[];
    /** Its replicas went on apart, or are strangers. Absent when it is not so, or not known. */
    readonly split?: SplitStatus;
  })[];
  readonly groups: readonly {
    readonly group: string;
    readonly owner: NodeId;
    readonly epoch: Epoch;
    readonly state: string;
    /** Set when only a person can go on. */
    readonly blocked?: { readonly reason: string; readonly remedy: string };
  }[];
}

/** A split brain as far as this node knows of it. */
export interface SplitStatus {
  readonly verdict: Branch['verdict'];
  /** The policy of the configuration. */
  readonly policy: SplitPolicy;
  /** Both sides, or the one that is heard. */
  readonly sides: readonly (Side & {
    readonly generation: Generation;
    readonly disk: DiskState;
    /** Blocks of its map that are dirty, for whatever reason; -1 where only one side is heard. */
    readonly dirty: number;
    /** Whether its data will be kept if it is given up. Absent while an order stands. */
    readonly fate?: BranchFate;
  })[];
  /** The last generation that both had, 0 for none. */
  readonly ancestor: Generation;
  /** Whom each policy would choose; empty unless both sides are heard. */
  readonly choices: readonly (Choice & { readonly policy: SplitPolicy })[];
}

export type OperatorAnswer =
  | {
      readonly ok: true;
      readonly status?: ClusterStatus;
      /** Number of the verification that was begun. */
      readonly verify?: number;
      /** The point that stands now, and which replicas have its image. */
      readonly point?: {
        readonly id: number;
        readonly volumes: readonly {
          readonly volume: string;
          readonly members: readonly NodeId[];
        }[];
      };
    }
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

/** What every control actor offers a backend. */
export interface ControlActor {
  /**
   * Handles inputs in order at time `now` (this host's monotonic µs, never running backwards) and
   * returns decisions in order. Throws InvariantError when a belief is broken: the whole core
   * must then stop.
   */
  step(inputs: readonly ControlInput[], now: Micros): readonly ControlDecision[];
  /** This node's view now; changes nothing. */
  status(now: Micros): ClusterStatus;
}
