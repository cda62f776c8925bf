import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, type Fault, PLAIN_FAULT } from '../../backends/sim/fault.ts';
import { describeFault, describeSchedule } from '../../scenarios/describe.ts';

const names = (node: number): string => ['', 'a', 'b', 'w'][node] ?? '?';
const fault = (given: Partial<Fault> & Pick<Fault, 'kind'>): Fault => {
  return { ...PLAIN_FAULT, at: 100_000, ...given };
};

describe('a schedule in words', () => {
  it('reads as a person would have written it', () => {
    const cut = fault({ kind: 'cut', links: 'replication', target: 1, peer: 2 });
    const off = fault({ kind: 'power-off', target: 1, at: 2_900_000 });
    expect(describeSchedule([off, cut], names)).toBe(
      'cut replication link between node a and node b at 100 ms; power off node a at 2.9 s',
    );
  });

  it('tells the ways of a cut apart', () => {
    const one = { kind: 'cut', target: 1, peer: 2 } as const;
    expect(describeFault(fault({ ...one, ways: 'out' }), names)).toBe(
      'cut all links from node a to node b at 100 ms',
    );
    expect(describeFault(fault({ ...one, ways: 'in', for: 2_000_000 }), names)).toBe(
      'cut all links to node a from node b at 100 ms for 2 s',
    );
  });

  it('says what a fault waits for and what it leaves of caches', () => {
    const off = fault({ kind: 'power-off', target: 'primary', cache: 'none', when: 'resync' });
    expect(describeFault(off, names)).toBe(
      'power off the primary, losing its caches at 100 ms, at the next resync',
    );
  });

  it('says which reads fail, and where', () => {
    const bad = fault({ kind: 'read-error', target: 'primary' });
    expect(describeFault(bad, names)).toBe(
      'let few sectors fail on the disk of the primary at 100 ms',
    );
    expect(describeFault({ ...bad, peer: 'secondary', ppm: 20_000 }, names)).toBe(
      'let 2 % of the reads fail on the disks of the primary and the secondary at 100 ms',
    );
  });

  it('has words for every kind', () => {
    for (const kind of FAULT_KINDS) {
      expect(describeFault(fault({ kind, target: 2 }), names)).toMatch(/^[a-z].* at 100 ms/);
    }
  });

  it('says what befalls a disk', () => {
    const said = (given: Partial<Fault> & Pick<Fault, 'kind'>): string =>
      describeFault(fault({ target: 2, ...given }), names);
    expect(said({ kind: 'lost-write', ppm: 200_000 })).toBe(
      'lose 20 % of the writes on the disk of node b, acknowledged at 100 ms',
    );
    expect(said({ kind: 'bit-rot', area: 'metadata' })).toBe(
      'let metadata on the disk of node b rot at 100 ms',
    );
    expect(said({ kind: 'old-disk', age: 2_000_000, cache: 'none' })).toBe(
      'power off node b, losing its caches, to return with its disk as it was 2 s before at 100 ms',
    );
  });

  it('says so when there is nothing to say', () => {
    expect(describeSchedule([], names)).toBe('no faults');
  });
});
