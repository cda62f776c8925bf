/**
 * Quiesce points of the volumes that this node leads: of several at once, they are quiet at one and
 * the same moment, so that the images of all make one. Like comparisons they change nothing that
 * is agreed on, and are no entries of the log. A point that ended early is never told of as one
 * that stood.
 */
import { MICROS_PER_S, type Micros } from '../core/units.ts';
import { QUIESCE_MAX, type QuiesceReport } from '../data/messages.ts';
import type { Context } from './context.ts';
import type { OperatorAnswer, OperatorCommand, QuiesceCommand } from './interface.ts';
import { type ClusterState, recordOf } from './state.ts';
import type { Volumes } from './volumes.ts';

/** A data actor that has said nothing of a point this long after its end will not. */
const PATIENCE: Micros = 2 * MICROS_PER_S;
/** Points that are remembered: whoever lets one go late is told that it is over. */
const KEPT = 16;
/** Points of one life of a core; a point's number is made of this and the session. */
const POINTS = 65_536;

/** A point, from the order on. */
interface Point {
  readonly id: number;
  readonly volumes: readonly string[];
  /** What was said of each that is quiet. */
  readonly quiet: Map<string, QuiesceReport>;
  /** Volumes whose data actors have ended it. */
  readonly ended: Set<string>;
  readonly until: Micros;
  /** Why it is over, '' while it is not. */
  broken: string;
  /** The command that waits for an answer, 0 for none. */
  asked: number;
  /** The event of the command that came last. */
  event: string;
  /** Whether a person let it go. */
  released: boolean;
}

/** Whether a command is one that is taken here. */
export function isQuiesce(command: OperatorCommand): command is QuiesceCommand {
  return command.kind === 'quiesce' || command.kind === 'resume';
}

export class Quiescence {
  readonly #context: Context;
  readonly #volumes: Volumes;
  readonly #state: () => ClusterState;
  #points: Point[] = [];
  #given = 0;

  constructor(context: Context, volumes: Volumes, state: () => ClusterState) {
    this.#context = context;
    this.#volumes = volumes;
    this.#state = state;
    volumes.onQuiesce = (report) => this.#reported(report);
  }

  /** Carries the command out, or answers why not; the answer comes when the data actors have. */
  take(id: number, command: QuiesceCommand): void {
    const of = command.kind === 'quiesce' ? command.volumes.join(' ') : `${command.point}`;
    const d = { command: command.kind, group: of, to: 0 };
    const cause = this.#context.event('operator.command', d);
    const refusal = command.kind === 'quiesce' ? this.#refusal(command.volumes) : null;
    if (refusal !== null) this.#answer(id, refusal, cause);
    else if (command.kind === 'quiesce') this.#begin(id, command, cause);
    else this.#release(id, command.point, cause);
  }

  /** Ends what no data actor has answered. */
  tick(): void {
    for (const point of this.#points) {
      if (point.asked === 0 || this.#context.now < point.until + PATIENCE) continue;
      point.broken ||= 'no-answer';
      this.#tell(point);
    }
  }

  #refusal(volumes: readonly string[]): OperatorAnswer | null {
    if (volumes.length === 0) return no('unknown-volume', 'see-status');
    for (const volume of volumes) {
      const record = recordOf(this.#state(), volume);
      if (record === null) return no('unknown-volume', 'see-status');
      const local = this.#volumes.get(volume);
      const leads = local !== null && record.primary === this.#context.node;
      if (!leads || local.role !== 'Primary') return no('not-primary', 'ask-the-primary');
    }
    return null;
  }

  #begin(
    id: number,
    { volumes, micros }: Extract<QuiesceCommand, { kind: 'quiesce' }>,
    cause: string,
  ): void {
    const { session, now } = this.#context;
    this.#given += 1;
    const point: Point = {
      id: session * POINTS + (this.#given % POINTS),
      volumes: [...new Set(volumes)],
      quiet: new Map(),
      ended: new Set(),
      until: now + Math.min(micros, QUIESCE_MAX),
      broken: '',
      asked: id,
      event: cause,
      released: false,
    };
    this.#points = [...this.#points, point].slice(-KEPT);
    const order = { id: point.id, until: point.until };
    for (const volume of point.volumes) {
      this.#context.decide({ kind: 'to-data', volume, command: { kind: 'quiesce', order, cause } });
    }
  }

  #release(id: number, number: number, cause: string): void {
    const point = this.#points.find((each) => each.id === number);
    if (point === undefined) this.#answer(id, no('unknown-point', 'see-timeline'), cause);
    else if (point.asked !== 0 || point.released) {
      this.#answer(id, no('point-busy', 'try-later'), cause);
    } else if (point.broken !== '') {
      point.released = true;
      this.#answer(id, no(`point-${point.broken}`, 'quiesce-again'), cause);
    } else {
      point.released = true;
      point.asked = id;
      point.event = cause;
      this.#letGo(point, cause);
      this.#tell(point);
    }
  }

  #letGo({ id, volumes, ended }: Point, cause: string): void {
    for (const volume of volumes) {
      if (ended.has(volume)) continue;
      this.#context.decide({ kind: 'to-data', volume, command: { kind: 'resume', id, cause } });
    }
  }

  /** A data actor says what became of a point. */
  #reported(report: QuiesceReport): void {
    const point = this.#points.find(({ id }) => id === report.id);
    if (point === undefined) return;
    if (report.state === 'quiet') point.quiet.set(report.volume, report);
    else {
      point.ended.add(report.volume);
      const stood = report.reason === 'released' && point.released;
      if (!stood && point.broken === '' && !this.#context.flags['quiesce-trusted']) {
        point.broken = report.reason;
        // The others need not wait any longer for what is none.
        this.#letGo(point, report.cause);
      }
    }
    this.#tell(point);
  }

  /** Answers whoever waits, when there is something to say. */
  #tell(point: Point): void {
    if (point.asked === 0) return;
    const { volumes, quiet, ended, released } = point;
    if (released && ended.size < volumes.length && point.broken !== 'no-answer') return;
    if (!released && point.broken === '' && quiet.size < volumes.length) return;
    const id = point.asked;
    point.asked = 0;
    const { broken, event } = point;
    if (broken !== '') this.#answer(id, no(`point-${broken}`, 'quiesce-again'), event);
    else if (released) this.#answer(id, { ok: true }, event);
    else {
      const members = volumes.map((volume) => ({
        volume,
        members: quiet.get(volume)?.members ?? [],
      }));
      this.#answer(id, { ok: true, point: { id: point.id, volumes: members } }, event);
    }
  }

  #answer(id: number, answer: OperatorAnswer, cause: string): void {
    const reason = answer.ok ? '' : answer.reason;
    const d = { command: 'quiesce', ok: answer.ok, reason };
    this.#context.event('operator.answer', d, cause);
    this.#context.decide({ kind: 'answer', id, answer });
  }
}

function no(reason: string, remedy: string): OperatorAnswer {
  return { ok: false, reason, remedy };
}
