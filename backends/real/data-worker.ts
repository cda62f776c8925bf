/**
 * The thread of one volume: one reactor, one data actor, and the loop that joins them,
 *
 *     n = poll(decisions, deadline); decisions = actor.step(n, now)
 *
 * It blocks in the addon and never returns to Node's event loop while it runs; mail of the control
 * actor is fetched between turns.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { servedOf } from '../../engine/cluster/changes.ts';
import { Rng } from '../../engine/core/rng.ts';
import type { Micros } from '../../engine/core/units.ts';
import { Event } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type { DataCommand, Mailboxes } from '../../engine/data/messages.ts';
import { MirrorActor } from '../../engine/mirror/actor.ts';
import { recordedMirror } from '../../engine/mirror/flight.ts';
import { isOffered } from '../../engine/ports/frontend.ts';
import type { DataStart, FromData, ToData } from './data-messages.ts';
import { HostError, reasonOf } from './failure.ts';
import { openFlightRing } from './flight-ring.ts';
import { mirrorConfig, REAL_LAYOUT } from './mirror-config.ts';
import { loadNative, type Reactor } from './native.ts';
import { runAway } from './replica-away.ts';
import { openReplica } from './replica-open.ts';
import { SpillWatch } from './spill-watch.ts';

/** Counters go to the main thread this often; a turn waits no longer either. */
const STATS_EVERY: Micros = 1_000_000;

const port = parentPort as MessagePort;

function tell(message: FromData): void {
  port.postMessage(message);
}

/** Mail that did not fit into a turn waits here for the next. */
class Mail {
  #waiting: ToData[] = [];
  closing = false;

  /** Puts commands behind the `count` events of this turn; returns the new count. */
  deliver(memory: DataMemory, { inbox }: Mailboxes, count: number): number {
    for (;;) {
      const received = receiveMessageOnPort(port) as { message: ToData } | undefined;
      if (received === undefined) break;
      this.#waiting.push(received.message);
    }
    inbox.length = 0;
    let total = count;
    while (total < memory.layout.events) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      if (message.kind === 'close') {
        this.closing = true;
        break;
      }
      if (message.kind !== 'command') continue;
      memory.events.put(total, Event.Control, inbox.length, 0, 0, 0, 0, 0);
      inbox.push(message.command);
      total += 1;
    }
    return total;
  }

  /** A command of this thread's own. */
  put(command: DataCommand): void {
    this.#waiting.push({ kind: 'command', command });
  }

  /** Whether the next turn must not wait. */
  get pressing(): boolean {
    return this.#waiting.length > 0;
  }
}

function run(start: DataStart, reactor: Reactor): void {
  const config = mirrorConfig(start.volume, start.node);
  const memory = new DataMemory(REAL_LAYOUT, reactor.memory);
  const mailboxes: Mailboxes = { inbox: [], outbox: [] };
  const { node, boot, session } = start;
  const rng = new Rng(randomInt(2 ** 32), node);
  const options = { memory, mailboxes, config, node, boot, session, rng };
  const ring = openFlightRing(start.flight);
  const actor =
    ring === null ? new MirrorActor(options) : recordedMirror(options, ring, start.build);
  const flight = ring !== null;
  const mail = new Mail();
  const watch = new SpillWatch(reactor);
  const clock = new Float64Array(reactor.clock);
  let isOpen: boolean = false;
  let exportBytes = servedOf(start.volume);
  let statsAt = 0;
  let faults = 0;
  let counted = { at: 0, cpu: 0 };
  tell({ kind: 'started', wakeFd: reactor.wakeFd, away: '' });
  let decisions = 0;
  let now = loadNative().nowMicros();
  for (;;) {
    const count = reactor.poll(decisions, mail.pressing ? now : now + STATS_EVERY);
    now = clock[0] as number;
    const total = mail.deliver(memory, mailboxes, count);
    if (mail.closing) return;
    decisions = actor.step(total, now);
    const { outbox } = mailboxes;
    if (outbox.length > 0) {
      const before: boolean = isOpen;
      for (const report of outbox) {
        // Before whoever connects to what is opened with it.
        if (report.kind === 'size') {
          exportBytes = report.bytes;
          reactor.setExportBytes(exportBytes);
          statsAt = 0;
        }
        isOpen = isOffered(isOpen, report);
      }
      if (isOpen !== before) reactor.setExport(isOpen);
      // Who waits for a host that serves must not learn of it a second late, nor which disk failed.
      if (isOpen !== before || reactor.stats().diskFaults !== faults) statsAt = 0;
      tell({ kind: 'reports', reports: outbox });
      outbox.length = 0;
    }
    if (now - statsAt >= STATS_EVERY) {
      statsAt = now;
      const stats = reactor.stats();
      faults = stats.diskFaults;
      const used = (stats.cpuMicros - counted.cpu) / Math.max(1, now - counted.at);
      const cpuPercent = counted.at === 0 ? 0 : Math.round(used * 100);
      counted = { at: now, cpu: stats.cpuMicros };
      const { spills, commands } = watch.look();
      for (const command of commands) mail.put(command);
      const more = { cpuPercent, export: isOpen, exportBytes, flight };
      tell({ kind: 'stats', stats: { ...stats, ...more }, spills });
    }
  }
}

/** Nothing is opened before the order: the thread of a spare core waits here. */
async function firstMessage(): Promise<ToData> {
  const [message] = (await once(port, 'message')) as [ToData];
  return message;
}

try {
  const first = await firstMessage();
  if (first.kind !== 'start') throw new Error('a thread is first told its volume');
  const { start } = first;
  const replica = start.volume.replicas.find(({ node }) => node === start.node);
  if (replica === undefined) throw new Error('this node holds no replica of the volume');
  const opened = openReplica(start, replica);
  if ('away' in opened) {
    const { away } = opened;
    tell({ kind: 'stats', stats: { unreachable: away } });
    tell({ kind: 'started', wakeFd: -1, away });
    await runAway(start, port, tell);
  } else {
    const { reactor, damagedSlots, damagedLabels } = opened;
    tell({ kind: 'stats', stats: { damagedSlots, damagedLabels } });
    run(start, reactor);
    reactor.close();
  }
  tell({ kind: 'closed' });
} catch (error) {
  if (error instanceof HostError) {
    tell({ kind: 'refused', reason: error.message, remedy: error.remedy });
  } else tell({ kind: 'broke', reason: reasonOf(error) });
}
