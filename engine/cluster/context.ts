/**
 * What every part of one control actor shares: the configuration, this life's identifiers, the
 * time of the step, the decisions so far, and the numbering of timeline events. No rule is here.
 */
import type { ClusterConfig, NodeConfig, TimingConfig } from '../core/config.ts';
import { invariant } from '../core/invariant.ts';
import { mix32, type Rng } from '../core/rng.ts';
import type { BootId, Micros, NodeId } from '../core/units.ts';
import type { TimelineValue } from '../timeline/event.ts';
import type { Flags } from './canaries.ts';
import { type Agreed, configWith, usableOf } from './changes.ts';
import type { ClusterEventKind } from './events.ts';
import { type Unit, unitsOf } from './groups.ts';
import type { ControlDecision } from './interface.ts';

export class Context {
  readonly config: ClusterConfig;
  readonly timing: TimingConfig;
  readonly node: NodeId;
  readonly self: NodeConfig;
  readonly units: readonly Unit[];
  readonly rng: Rng;
  readonly flags: Flags;
  readonly reached: (mark: string) => void;
  /** Time of the step under way. */
  now: Micros = 0;
  /** When this life of the core began. */
  startedAt: Micros = 0;
  boot: BootId = 0;
  session = 0;
  /** Names this life of the core: no other life of any core has it. */
  life = 0;
  /** Names this voter's disk: a blank disk gets another. */
  identity = 0;
  /** The event being handled, '' for none. */
  cause = '';
  /** The event in which this core started, and that in which it last came to its right to act. */
  started = '';
  right = '';
  /** Events that told last of what the log says, by subject as Proposals has them. */
  readonly #told: Map<string, string> = new Map();
  #sequence = 0;
  /** Units by the newest agreement that was asked for, and its version. */
  #led: readonly Unit[] = [];
  #ledBy = 0;
  #decisions: ControlDecision[] = [];

  constructor(
    config: ClusterConfig,
    node: NodeId,
    rng: Rng,
    flags: Flags,
    reached: (mark: string) => void,
  ) {
    const self = config.nodes.find((candidate) => candidate.id === node);
    invariant(self !== undefined, 'a control actor runs for a configured node');
    this.config = config;
    this.timing = config.timing;
    this.node = node;
    this.self = self;
    this.units = unitsOf(config);
    this.rng = rng;
    this.flags = flags;
    this.reached = reached;
  }

  /**
   * Units by what is agreed on, of which this node may have less in use: by these whoever leads the
   * log decides. What runs here goes by {@link units}.
   */
  unitsBy(agreed: Agreed): readonly Unit[] {
    const { version, changes } = usableOf(agreed);
    if (version === 0 || this.flags['led-by-own-file']) return this.units;
    if (version !== this.#ledBy) {
      this.#led = unitsOf(configWith(this.config, changes));
      this.#ledBy = version;
    }
    return this.#led;
  }

  decide(decision: ControlDecision): void {
    this.#decisions.push(decision);
  }

  /** How many decisions this step has made so far. */
  get decided(): number {
    return this.#decisions.length;
  }

  /** The decisions of this step; the next step starts empty. */
  take(): readonly ControlDecision[] {
    const decisions = this.#decisions;
    this.#decisions = [];
    return decisions;
  }

  /**
   * A positive safe integer that no other life of a core draws, even if its stream of chance were
   * the same: for lives, identities, and generations, which replicas remember for ever.
   */
  draw(): number {
    const { rng, now, session, boot } = this;
    const high = mix32(rng.u32() ^ mix32(boot ^ session)) >>> 12;
    const low = mix32(rng.u32() ^ mix32(now) ^ Math.floor(boot / 4294967296));
    return high * 4294967296 + low || 1;
  }

  /** What a message that is sent now goes back to: what is handled, or that this core lives. */
  get said(): string {
    return this.cause === '' ? this.started : this.cause;
  }

  /** The event that told last of a subject of the log, as 'group shop'; '' for none. */
  toldOf(subject: string): string {
    return this.#told.get(subject) ?? '';
  }

  tells(subject: string, event: string): void {
    this.#told.set(subject, event);
  }

  /** How many events this life has written: of two of its own the later one has more. */
  get written(): number {
    return this.#sequence;
  }

  /** `run` as a part of what is handled now, whenever it is called. */
  carry(run: () => void): () => void {
    const { cause } = this;
    return () => {
      const before = this.cause;
      if (cause !== '') this.cause = cause;
      run();
      this.cause = before;
    };
  }

  /** Writes a timeline event and returns its id. */
  event(
    kind: ClusterEventKind,
    d: { readonly [name: string]: TimelineValue },
    cause: string = this.cause,
    reads: readonly string[] = [],
  ): string {
    this.#sequence += 1;
    const id = `${this.node}.${this.session}.c${this.#sequence}`;
    this.decide({
      kind: 'event',
      event: {
        id,
        t: this.now,
        node: this.node,
        kind,
        ...(cause === '' ? {} : { cause }),
        ...(reads.length === 0 ? {} : { reads }),
        d,
      },
    });
    return id;
  }
}
