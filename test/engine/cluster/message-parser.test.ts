import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseControlMessage } from '../../../engine/cluster/message-parser.ts';
import { FORMED, factsOf, GENESIS, heartbeatOf } from '../../support/control-fixtures.ts';
import { ControlNet, GROUP, S } from '../../support/control-net.ts';

const BASE = { boot: 1, life: 2, event: '1.1.c1' };

describe('the parser of control messages', () => {
  it('accepts every message that a cluster in trouble sends', () => {
    const net = new ControlNet({ seed: 3, wire: true });
    net.pass(4 * S);
    net.cutBoth(1, 2);
    net.command(2, 1, { kind: 'switch', group: GROUP, to: 2 });
    net.pass(3 * S);
    net.heal();
    net.powerOff(1);
    net.pass(5 * S);
    net.powerOn(1);
    net.powerOff(3);
    net.powerOn(3, 'blank');
    net.pass(5 * S);
    expect(net.violations).toEqual([]);
  });

  it('accepts a snapshot and an offer, and keeps fields that it does not know', () => {
    const snapshot = { ...BASE, kind: 'snapshot', term: 2, index: 9, indexTerm: 2, state: FORMED };
    expect(parseControlMessage(JSON.parse(JSON.stringify(snapshot)))).toEqual(snapshot);
    const commands = Array.from({ length: 257 }, (_, id) => ({ node: 1, life: 2, id }));
    for (const [known, passes] of [
      [commands.slice(1), true],
      [commands, false],
      [[{ node: 1 }], false],
    ] as const) {
      const message = { ...snapshot, state: { ...FORMED, commands: known } };
      expect(parseControlMessage(message) !== null).toBe(passes);
    }
    const offer = { ...BASE, kind: 'genesis-offer', entry: GENESIS, later: [1, 2] };
    expect(parseControlMessage(offer)).toEqual(offer);
  });

  it('accepts what is said of a kept branch, and nothing that only looks like it', () => {
    const plain = { volume: 'data', attached: true, disk: 'UpToDate', generation: 1, epoch: 1 };
    const facts = (keptBranch?: unknown) => {
      const volume = { ...plain, want: null, doubted: false };
      const volumes = [keptBranch === undefined ? volume : { ...volume, keptBranch }];
      return parseControlMessage({ ...factsOf(1), volumes }) !== null;
    };
    expect(facts()).toBe(true);
    expect(facts({ generation: 5, holds: true })).toBe(true);
    for (const bad of [{ generation: 5 }, { generation: 'x', holds: true }, true, null]) {
      expect(facts(bad)).toBe(false);
    }
  });

  it('accepts what is agreed on, how far it is, and each step, but no unknown one', () => {
    const change = { kind: 'remove-replica', volume: 'data', node: 2 } as const;
    const agreed = (stage?: string) => {
      const plain = { version: 1, changes: [{ version: 1, change }] };
      const state = { ...FORMED, agreed: stage === undefined ? plain : { ...plain, stage } };
      const more = { term: 2, index: 9, indexTerm: 2, state };
      return parseControlMessage({ ...BASE, kind: 'agreed-snapshot', ...more }) !== null;
    };
    expect([agreed(), agreed('ordered'), agreed('begun'), agreed('x')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const step = (to: string): boolean => {
      const entry = { kind: 'config-step', event: '', of: 1, to, record: 3, command: null };
      const plain = { term: 2, previous: 0, previousTerm: 0, commit: 0 };
      const append = { ...BASE, kind: 'append', ...plain, entries: [{ term: 2, entry }] };
      return parseControlMessage(append) !== null;
    };
    const steps = ['begun', 'done', 'withdrawn', 'x'].map(step);
    expect(steps).toEqual([true, true, true, false]);
  });

  it('refuses what lacks a field, has a wrong one, or is no message at all', () => {
    const good = heartbeatOf(1);
    expect(parseControlMessage(good)).not.toBeNull();
    for (const field of Object.keys(good)) {
      expect(parseControlMessage({ ...good, [field]: undefined })).toBeNull();
      expect(parseControlMessage({ ...good, [field]: { x: 1 } })).toBeNull();
    }
    for (const value of [null, 1, 'x', [], {}, { kind: 'constructor' }, { kind: '__proto__' }]) {
      expect(parseControlMessage(value)).toBeNull();
    }
  });

  it('refuses numbers that are no integers and lists that are too long', () => {
    expect(parseControlMessage({ ...heartbeatOf(1), term: 1.5 })).toBeNull();
    expect(parseControlMessage({ ...heartbeatOf(1), sent: -2 })).toBeNull();
    expect(parseControlMessage({ ...heartbeatOf(1), sent: 2 ** 60 })).toBeNull();
    const hears = Array.from({ length: 65 }, (_, i) => i);
    expect(parseControlMessage({ ...heartbeatOf(1), hears })).toBeNull();
    expect(parseControlMessage({ ...factsOf(1), event: 'x'.repeat(257) })).toBeNull();
  });

  it('does not relay a relay, however deep', () => {
    let inner: unknown = heartbeatOf(1);
    for (let i = 0; i < 3; i++) inner = { ...BASE, kind: 'relay', from: 1, to: 2, inner };
    expect(parseControlMessage(inner)).toBeNull();
  });

  it('never throws, whatever arrives', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(factsOf(1))), (value, field) => {
        parseControlMessage(value);
        parseControlMessage({ ...factsOf(1), [field]: value });
      }),
    );
  });
});
