import { describe, expect, it } from 'vitest';
import { Durability } from '../../../engine/cluster/persist.ts';
import { contextOf, ofKind } from '../../support/control-fixtures.ts';

describe('durability', () => {
  it('lets nothing out before what it depends on is durable', () => {
    const { context } = contextOf(1);
    const durability = new Durability(context);
    const out: string[] = [];
    durability.after(() => out.push('nothing pending'));
    durability.mark();
    durability.after(() => out.push('first'));
    durability.flush(() => ({}));
    durability.mark();
    durability.after(() => out.push('second'));
    expect(out).toEqual(['nothing pending']);
    const [write] = ofKind(context.take(), 'persist');
    durability.persisted(write?.token ?? 0);
    expect(out).toEqual(['nothing pending', 'first']);
  });

  it('has one write under way, and covers with the next all that changed meanwhile', () => {
    const { context } = contextOf(1);
    const durability = new Durability(context);
    durability.mark();
    expect(durability.flush(() => ({ n: 1 }))).toBe(true);
    durability.mark();
    durability.mark();
    expect(durability.flush(() => ({ n: 2 }))).toBe(false);
    const [first] = ofKind(context.take(), 'persist');
    expect(durability.persisted(first?.token ?? 0)).toBe(true);
    expect(durability.flush(() => ({ n: 3 }))).toBe(true);
    const writes = ofKind(context.take(), 'persist');
    expect(writes.map((w) => w.durable)).toEqual([{ n: 3 }]);
    durability.persisted(writes[0]?.token ?? 0);
    expect(durability.flush(() => ({}))).toBe(false);
  });

  it('ignores the completion of a write that it did not order', () => {
    const { context } = contextOf(1);
    const durability = new Durability(context);
    durability.mark();
    durability.flush(() => ({}));
    expect(durability.persisted(99)).toBe(false);
    expect(durability.persisted(1)).toBe(true);
    expect(durability.persisted(1)).toBe(false);
  });
});
