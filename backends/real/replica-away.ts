/**
 * The data actor of a replica that cannot be reached, without a reactor: no disk, no front-end, no
 * link. Every read of its metadata ends as on a lost path, and the engine makes of that what it
 * does anywhere: it says so, leads nothing, and gives up what it is told to give up.
 */
import { randomInt } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import { Rng } from '../../engine/core/rng.ts';
import { Decision, Event } from '../../engine/data/abi.ts';
import { DataMemory } from '../../engine/data/memory.ts';
import type { Mailboxes } from '../../engine/data/messages.ts';
import { MirrorActor } from '../../engine/mirror/actor.ts';
import { PATH_LOST } from '../../engine/mirror/path.ts';
import type { DataStart, FromData, ToData } from './data-messages.ts';
import { mirrorConfig, REAL_LAYOUT } from './mirror-config.ts';
import { loadNative } from './native.ts';

/** Longest wait of a timer: Node's timers wrap around beyond 2^31 ms. */
const TIMER_MS_MAX = 60_000;

/** Runs until it is told to close. A belief that is broken rejects. */
export function runAway(
  { volume, node, boot, session }: DataStart,
  port: MessagePort,
  tell: (message: FromData) => void,
): Promise<void> {
  const { nowMicros } = loadNative();
  const config = mirrorConfig(volume, node);
  const memory = new DataMemory(REAL_LAYOUT);
  const mailboxes: Mailboxes = { inbox: [], outbox: [] };
  const { inbox, outbox } = mailboxes;
  const rng = new Rng(randomInt(2 ** 32), node);
  const actor = new MirrorActor({ memory, mailboxes, config, node, boot, session, rng });
  let timer: NodeJS.Timeout | null = null;

  /** One turn after the other until nothing is left to answer; `count` events are there. */
  function turn(count: number): void {
    for (let events = count; ; ) {
      const decisions = actor.step(events, nowMicros());
      if (outbox.length > 0) tell({ kind: 'reports', reports: outbox.splice(0) });
      events = answer(decisions);
      if (events === 0) return;
    }
  }

  function answer(decisions: number): number {
    let events = 0;
    for (let d = 0; d < decisions; d += 1) {
      const op = memory.decisions.op(d);
      const offset = memory.decisions.offset(d);
      if (op === Decision.ArmTimer) arm(offset);
      if (op !== Decision.MetaRead) continue;
      const token = memory.decisions.length(d);
      memory.events.put(events, Event.MetaDone, 0, 0, 0, offset, token, PATH_LOST);
      events += 1;
    }
    return events;
  }

  function arm(at: number): void {
    if (timer !== null) clearTimeout(timer);
    const wait = Math.min(TIMER_MS_MAX, Math.max(0, Math.ceil((at - nowMicros()) / 1000)));
    timer = setTimeout(() => (nowMicros() < at ? arm(at) : one(Event.Timer)), wait);
  }

  function one(op: number): void {
    memory.events.put(0, op, 0, 0, 0, 0, 0, 0);
    turn(1);
  }

  return new Promise((resolve, reject) => {
    function guarded(act: () => void): void {
      try {
        act();
      } catch (error) {
        reject(error);
      }
    }
    function hear(message: ToData): void {
      if (message.kind === 'command') {
        inbox.length = 0;
        inbox.push(message.command);
        guarded(() => one(Event.Control));
      } else if (message.kind === 'close') {
        if (timer !== null) clearTimeout(timer);
        port.off('message', hear);
        resolve();
      }
    }
    port.on('message', hear);
    guarded(() => turn(0));
  });
}
