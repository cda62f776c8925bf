import { describe, expect, it } from 'vitest';
import {
  Connection,
  DEFAULT_STREAM_TIMING,
  type StreamEnd,
} from '../../backends/sim/connection.ts';
import { Kernel, Kind } from '../../backends/sim/kernel.ts';
import { Packet, PacketPool } from '../../backends/sim/packets.ts';

class End implements StreamEnd {
  readonly node: number;
  readonly heard: string[] = [];
  readonly #packets: PacketPool;
  lives = true;
  runs = true;
  room = Number.MAX_SAFE_INTEGER;
  link = 0;
  constructor(node: number, packets: PacketPool) {
    this.node = node;
    this.#packets = packets;
  }
  alive(): boolean {
    return this.lives;
  }
  running(): boolean {
    return this.runs;
  }
  nextLink(): number {
    this.link += 1;
    return this.link;
  }
  accept(packet: number, number: number): boolean {
    if (this.room === 0) return false;
    this.room -= 1;
    this.heard.push(`${number}:${this.#packets.slot[packet]}`);
    return true;
  }
  linkUp(number: number): boolean {
    this.heard.push(`up ${number}`);
    return true;
  }
  linkDown(number: number): boolean {
    this.heard.push(`down ${number}`);
    return true;
  }
}

class Wire {
  readonly kernel = new Kernel();
  readonly packets = new PacketPool(8);
  readonly a = new End(1, this.packets);
  readonly b = new End(2, this.packets);
  readonly connection: Connection;
  #sent = 0;

  constructor(seed: number) {
    this.kernel.reset(seed, false);
    const ends = [this.a, this.b] as const;
    const { kernel, packets } = this;
    this.connection = new Connection(0, ends, kernel, packets, DEFAULT_STREAM_TIMING, 7_000);
    this.connection.poll();
    this.pass(1_000_000);
  }

  /** Sends the next number from a to b. */
  send(): void {
    const packet = this.connection.packet(Packet.Write);
    this.#sent += 1;
    this.packets.slot[packet] = this.#sent;
    this.connection.send(0, packet, 4096);
  }

  pass(span: number): void {
    const { kernel, connection } = this;
    const { queue } = kernel;
    const end = kernel.now + span;
    while (queue.size > 0 && queue.nextTime <= end) {
      kernel.now = queue.nextTime;
      const entry = queue.pop();
      const a = queue.a[entry]!;
      const b = queue.b[entry]!;
      if (queue.kind[entry] === Kind.Packet) connection.arrive(a, b);
      else if (queue.kind[entry] === Kind.Connect) connection.connect();
      else connection.detect(a, b);
      queue.release(entry);
    }
    kernel.now = end;
  }

  /** What b heard of packets. */
  get numbers(): readonly number[] {
    return this.b.heard.filter((one) => one.includes(':')).map((one) => Number(one.split(':')[1]));
  }
}

describe('a replication link', () => {
  it('comes up at both ends and delivers in order, each once', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const wire = new Wire(seed);
      expect(wire.a.heard).toEqual(['up 1']);
      expect(wire.b.heard).toEqual(['up 1']);
      for (let i = 0; i < 50; i += 1) wire.send();
      wire.pass(100_000);
      expect(wire.numbers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    }
  });

  it('delivers what a short cut held back, when it heals', () => {
    const wire = new Wire(1);
    wire.connection.cut(0, true);
    wire.send();
    wire.send();
    wire.pass(100_000);
    expect(wire.numbers).toEqual([]);
    wire.connection.cut(0, false);
    wire.pass(100_000);
    expect(wire.numbers).toEqual([1, 2]);
  });

  it('never delivers old bytes on a new connection', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const wire = new Wire(seed);
      wire.connection.cut(0, true);
      wire.send();
      wire.pass(4_000_000);
      expect(wire.a.heard.at(-1)).toBe('down 1');
      expect(wire.b.heard.at(-1)).toBe('down 1');
      wire.connection.cut(0, false);
      wire.pass(1_000_000);
      wire.send();
      wire.pass(100_000);
      expect(wire.a.heard).toEqual(['up 1', 'down 1', 'up 2']);
      expect(wire.b.heard).toEqual(['up 1', 'down 1', 'up 2', '2:2']);
    }
  });

  it('is noticed to be dead at different times when one way is cut', () => {
    let apart = 0;
    for (let seed = 0; seed < 20; seed += 1) {
      const wire = new Wire(seed);
      wire.connection.cut(1, true);
      const downAt = [wire.a, wire.b].map(() => 0);
      for (let i = 1; i <= 400; i += 1) {
        wire.pass(5_000);
        for (const [side, end] of [wire.a, wire.b].entries()) {
          if (downAt[side] === 0 && end.heard.at(-1) === 'down 1') downAt[side] = i;
        }
      }
      expect(downAt).not.toContain(0);
      if (downAt[0] !== downAt[1]) apart += 1;
    }
    expect(apart).toBeGreaterThan(3);
  });

  it('lets a paused process find what its kernel had received, and then the end', () => {
    const wire = new Wire(2);
    wire.b.runs = false;
    wire.send();
    wire.send();
    wire.pass(10_000);
    wire.connection.processDied(0);
    wire.a.lives = false;
    wire.pass(10_000);
    expect(wire.numbers).toEqual([]);
    wire.b.runs = true;
    wire.connection.wake(1);
    wire.pass(10_000);
    expect(wire.b.heard).toEqual(['up 1', '1:1', '1:2', 'down 1']);
  });

  it('waits while the receiver has no room, and loses nothing', () => {
    const wire = new Wire(3);
    wire.b.room = 2;
    for (let i = 0; i < 5; i += 1) wire.send();
    wire.pass(10_000);
    expect(wire.numbers).toEqual([1, 2]);
    wire.b.room = 9;
    wire.connection.wake(1);
    wire.pass(10_000);
    expect(wire.numbers).toEqual([1, 2, 3, 4, 5]);
  });

  it('says nothing when a host vanishes: the other end finds out by itself', () => {
    const wire = new Wire(4);
    wire.a.lives = false;
    wire.connection.hostVanished(0);
    wire.pass(50_000);
    expect(wire.b.heard).toEqual(['up 1']);
    wire.pass(2_000_000);
    expect(wire.b.heard).toEqual(['up 1', 'down 1']);
    expect(wire.a.heard).toEqual(['up 1']);
  });
});
