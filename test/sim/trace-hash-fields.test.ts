/**
 * The trace hash covers a run: all that actors heard and decided and all that became durable is fed
 * to it, and changing any one field of any one of these changes it.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ActorGround, Actors, DataGround } from '../../backends/sim/actors.ts';
import { DEFAULT_WORKLOAD } from '../../backends/sim/client.ts';
import { EngineActors } from '../../backends/sim/engine-actors.ts';
import { PLAIN_FAULT } from '../../backends/sim/fault.ts';
import type { RunOutcome } from '../../backends/sim/outcome.ts';
import { TraceHash } from '../../backends/sim/trace-hash.ts';
import { World } from '../../backends/sim/world.ts';
import type { ControlActor } from '../../engine/cluster/interface.ts';
import { Decision, Event, PAGE_BYTES } from '../../engine/data/abi.ts';
import type { DataActor } from '../../engine/data/messages.ts';
import { DEMO_CONFIG } from '../../scenarios/demo.ts';
import { equals } from '../support/equality.ts';
import {
  copyOf,
  type Datagram,
  type Fed,
  feed,
  fieldsOf,
  listen,
  withChanged,
} from '../support/hash-stream.ts';

/** As it stands in the stream, but for its number, which no actor knows. */
function datagram(kind: Datagram['kind'], node: number, link: number, message: object): Datagram {
  return { kind, node, link, number: 0, value: copyOf(message) };
}

/** The engine's actors, with all that they hear and decide written down, actor by actor. */
class Witnessed extends EngineActors implements Actors {
  readonly heard: Fed[][] = [];

  override readonly control = (ground: ActorGround): ControlActor => {
    const actor = this.#engine.control(ground);
    const own = this.#new();
    return {
      step: (inputs, now) => {
        for (const input of inputs) {
          if (input.kind !== 'message') own.push({ kind: 'value', value: copyOf(input) });
          else own.push(datagram('received', input.from, input.link, input.message));
        }
        const decisions = actor.step(inputs, now);
        for (const decision of decisions) {
          if (decision.kind === 'wake-at') own.push({ kind: 'integer', x: decision.at });
          else if (decision.kind === 'send') {
            const { to, link, message } = decision;
            own.push(datagram('sent', to, link === 'all' ? -1 : link, message));
          } else {
            const value = decision.kind === 'event' ? decision.event : decision;
            own.push({ kind: 'value', value: copyOf(value) });
          }
        }
        return decisions;
      },
      status: (now) => actor.status(now),
    };
  };

  override readonly data = (ground: DataGround): DataActor => {
    const actor = this.#engine.data(ground);
    const own = this.#new();
    const { events, decisions, headers, outPages } = ground.memory;
    const words = (from: Int32Array | Uint32Array, at: number, count: number) => {
      own.push({ kind: 'words', words: Int32Array.from(from.subarray(at, at + count)) });
    };
    return {
      step: (count, now) => {
        for (const value of ground.mailboxes.inbox) own.push({ kind: 'value', value });
        own.push({ kind: 'integer', x: now });
        for (let r = 0; r < count; r += 1) {
          words(events.i32, r << 3, 8);
          const op = events.op(r);
          const headed = op === Event.PeerWrite || op === Event.PeerRead || op === Event.PeerData;
          if (headed) words(headers.u32, events.slot(r) << 4, 16);
        }
        const decided = actor.step(count, now);
        for (let r = 0; r < decided; r += 1) {
          words(decisions.i32, r << 3, 8);
          const slot = decisions.slot(r);
          const op = decisions.op(r);
          if (op === Decision.PeerWrite || op === Decision.PeerRead) {
            words(headers.u32, slot << 4, 16);
          } else if (op === Decision.MetaWrite || op === Decision.PeerMessage) {
            const bytes = op === Decision.MetaWrite ? PAGE_BYTES : decisions.length(r);
            const page = outPages.slice(slot * PAGE_BYTES, (slot + 1) * PAGE_BYTES);
            words(new Int32Array(page.buffer), 0, Math.ceil(bytes / 4));
          } else if (op === Decision.Report) {
            own.push({ kind: 'value', value: copyOf(ground.mailboxes.outbox[slot]) });
          }
        }
        return decided;
      },
    };
  };

  readonly #engine = new EngineActors();

  #new(): Fed[] {
    const own: Fed[] = [];
    this.heard.push(own);
    return own;
  }
}

/**
 * One run in which the primary loses power, the other takes over, a resync follows, and some reads
 * are served by the peer.
 */
class Recording {
  readonly actors = new Witnessed();
  readonly world = new World(this.actors);
  readonly stream: readonly Fed[] = listen(this.world.kernel.hash);
  readonly outcome: RunOutcome;

  constructor() {
    const fault = { ...PLAIN_FAULT, kind: 'power-off', at: 4_000_000, cache: 'all' } as const;
    const unread = { ...PLAIN_FAULT, kind: 'read-error', at: 13_000_000, ppm: 150_000 } as const;
    this.outcome = this.world.run({
      config: DEMO_CONFIG,
      seed: 5,
      workload: DEFAULT_WORKLOAD,
      faults: [{ ...fault, for: 6_000_000 }, unread],
      healAt: 14_000_000,
      calmAt: 16_000_000,
      endAt: 18_000_000,
      canaries: new Set(),
      timeline: false,
      stopAtFirst: false,
      judge: () => true,
    });
  }
}

let recorded: Recording | null = null;

describe('the trace hash of a run', () => {
  let run: Recording;

  beforeEach(() => {
    recorded ??= new Recording();
    run = recorded;
  });

  it('is of a run with all that can happen in one', () => {
    expect(run.outcome.resyncs).toBeGreaterThan(0);
    expect(run.outcome.groups[0]?.tookOver.length).toBeGreaterThan(0);
    expect(run.outcome.statesReached['mirror.read.served-by-peer']).toBeGreaterThan(0);
    expect(run.outcome.findings).toEqual([]);
    expect(run.stream.length).toBeGreaterThan(10_000);
  });

  it('is made of what was written down here, and of nothing else', () => {
    expect(digestOf(run.stream)).toBe(run.outcome.traceHash);
  });

  it('is fed all that each actor hears and decides, in order', () => {
    expect(run.actors.heard.length).toBeGreaterThan(5);
    for (const own of run.actors.heard) {
      expect(own.length).toBeGreaterThan(10);
      expect(missingFrom(run.stream, own)).toBeNull();
    }
  });

  it('is fed every sector and every metadata page that became durable', () => {
    const pairs = new Set<string>();
    for (const fed of run.stream) {
      if (fed.kind !== 'words' || fed.words.length % 2 !== 0) continue;
      // Sectors and their stamps are fed in turns, many at once.
      for (let i = 0; i < fed.words.length; i += 2) pairs.add(fed.words.slice(i, i + 2).join(' '));
    }
    const pages = new Set(run.stream.flatMap((fed) => (fed.kind === 'words' ? [text(fed)] : [])));
    for (const { node, legs } of run.world.hosts) {
      for (const { disk } of legs) {
        let sectors = 0;
        const volume = DEMO_CONFIG.volumes[0] as (typeof DEMO_CONFIG.volumes)[number];
        const moved = run.actors.moved(volume, node, disk.meta);
        for (const [sector, stamp] of disk.media.entries()) {
          if (stamp === 0) continue;
          sectors += 1;
          const spare = moved.get(sector >> 3);
          const at = spare === undefined ? sector : disk.sectors + 8 * spare + (sector & 7);
          if (!pairs.has(`${at ^ (node << 26)} ${stamp}`)) {
            throw new Error(`sector ${sector} of node ${node} became durable unseen`);
          }
        }
        expect(sectors).toBeGreaterThan(500);
        const first = new Map<number, string>();
        const spare = run.actors.spareArea(volume);
        for (const { page, bytes } of run.actors.format(volume, node)) {
          // Without the spare blocks, which are data.
          first.set(page < spare.first ? page : page - spare.count, hex(bytes));
        }
        let written = 0;
        for (let page = 0; page < disk.metaPages; page += 1) {
          const bytes = disk.meta.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
          if (hex(bytes) === (first.get(page) ?? hex(new Uint8Array(PAGE_BYTES)))) continue;
          written += 1;
          expect(pages.has([...new Int32Array(bytes.buffer)].join(' '))).toBe(true);
        }
        expect(written).toBeGreaterThan(2);
      }
    }
  });

  it('changes with any one field of anything', () => {
    const all = run.outcome.traceHash;
    const at = fc.nat(run.stream.length - 1);
    fc.assert(
      fc.property(at, fc.nat(1_000_000), (index, die) => {
        const fed = run.stream[index] as Fed;
        const fields = fieldsOf(fed);
        fc.pre(fields > 0);
        expect(digestOf(run.stream, index, withChanged(fed, die % fields))).not.toBe(all);
      }),
      { numRuns: 200 },
    );
  });

  it('changes with every field of every kind of message', () => {
    const kinds = new Map<string, Fed>();
    for (const fed of run.stream) {
      if (fed.kind === 'sent') kinds.set(`sent ${(fed.value as { kind: string }).kind}`, fed);
      if (fed.kind === 'received') kinds.set('received', fed);
      if (fed.kind !== 'value') continue;
      const { kind, message, report, command } = fed.value as { [name: string]: Kinded };
      kinds.set([kind, message?.kind, report?.kind, command?.kind].join(' '), fed);
    }
    expect(kinds.size).toBeGreaterThan(25);
    for (const fed of kinds.values()) {
      const plain = digestOf([fed]);
      for (let field = 0; field < fieldsOf(fed); field += 1) {
        expect(digestOf([fed], 0, withChanged(fed, field))).not.toBe(plain);
      }
    }
  });

  it('changes when two neighbours change places', () => {
    fc.assert(
      fc.property(fc.nat(run.stream.length - 2), (index) => {
        const pair = [run.stream[index] as Fed, run.stream[index + 1] as Fed] as const;
        fc.pre(!equals(unnumbered(pair[0]), unnumbered(pair[1])));
        expect(digestOf([pair[1], pair[0]])).not.toBe(digestOf(pair));
      }),
      { numRuns: 400 },
    );
  });
});

type Kinded = { readonly kind: string } | undefined;

/** Datagrams that are sent get their numbers by being sent: two that say the same are the same. */
function unnumbered(fed: Fed): Fed {
  return fed.kind === 'sent' ? { ...fed, number: 0 } : fed;
}

/** The hash of a stream, of which one thing may be replaced. */
function digestOf(stream: readonly Fed[], index = -1, instead?: Fed): string {
  const hash = new TraceHash();
  for (let i = 0; i < stream.length; i += 1) {
    feed(hash, i === index && instead !== undefined ? instead : (stream[i] as Fed));
  }
  return hash.digest();
}

/** The first of `own` that does not come in the stream after those before it; null when all do. */
function missingFrom(stream: readonly Fed[], own: readonly Fed[]): Fed | null {
  let at = 0;
  for (const wanted of own) {
    while (at < stream.length && !same(stream[at] as Fed, wanted)) at += 1;
    if (at === stream.length) return wanted;
    at += 1;
  }
  return null;
}

function same(a: Fed, b: Fed): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'words' && b.kind === 'words') {
    if (a.words.length !== b.words.length) return false;
    for (let i = 0; i < a.words.length; i += 1) if (a.words[i] !== b.words[i]) return false;
    return true;
  }
  // Numbers apart: which datagram it is, what it says tells.
  return 'number' in a ? equals({ ...a, number: 0 }, b) : equals(a, b);
}

function text(fed: Fed): string {
  return fed.kind === 'words' ? fed.words.join(' ') : '';
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
