import { describe, expect, it } from 'vitest';
import {
  type Agreed,
  agreedWith,
  begunOf,
  doneOf,
  NOTHING_AGREED,
} from '../../../engine/cluster/changes.ts';
import { Links } from '../../../engine/cluster/heartbeat.ts';
import { Views } from '../../../engine/cluster/views.ts';
import {
  contextOf,
  factsOf,
  linkUp,
  OWNED,
  onlyGroup,
  onlyRecord,
  STILL,
} from '../../support/control-fixtures.ts';

function setup() {
  const { context } = contextOf(3);
  const links = new Links(context, () => STILL);
  const views = new Views(
    context,
    links,
    () => OWNED,
    () => factsOf(3),
  );
  return { context, links, views };
}

describe('the leader’s view of the nodes', () => {
  it('always reaches itself, and others only over links', () => {
    const { context, links, views } = setup();
    expect(views.candidate(3).reachable).toBe(true);
    expect(views.candidate(1).reachable).toBe(false);
    linkUp(context, links, 1);
    expect(views.candidate(1).reachable).toBe(true);
  });

  it('finds a place only on nodes that have said what they hold', () => {
    const { context, links, views } = setup();
    linkUp(context, links, 2);
    const unit = context.units[0];
    if (unit === undefined) throw new Error('there is a group');
    const group = onlyGroup(OWNED);
    const record = onlyRecord(OWNED);
    expect(views.where(unit, group, record).ok).toBe(false);
    const peer = links.peer(2);
    if (peer === null) throw new Error('node 2 is a peer');
    peer.facts = factsOf(2);
    const found = views.where(unit, group, record);
    expect(found.ok && found.taker.node).toBe(2);
    expect(views.judge(unit, group, record, views.candidate(2)).ok).toBe(true);
  });

  it('finds none where a host goes by a configuration in which its disk was another one', () => {
    const change = {
      kind: 'replace-replica',
      volume: 'data',
      node: 2,
      path: 'x',
      meta: '',
    } as const;
    const ordered = agreedWith(NOTHING_AGREED, change);
    const ok = (agreed: Agreed, config: number, canaries: readonly string[] = []): boolean => {
      const { context } = contextOf(3, canaries);
      const links = new Links(context, () => STILL);
      linkUp(context, links, 2);
      const peer = links.peer(2);
      const [unit] = context.units;
      if (unit === undefined || peer === null) throw new Error('there are both');
      peer.facts = { ...factsOf(2), config };
      const state = { ...OWNED, agreed };
      const views = new Views(
        context,
        links,
        () => state,
        () => factsOf(3),
      );
      const found = views.where(unit, onlyGroup(OWNED), onlyRecord(OWNED)).ok;
      const judged = views.judge(unit, onlyGroup(OWNED), onlyRecord(OWNED), views.candidate(2));
      expect(judged.ok).toBe(found);
      return found;
    };
    // Until it is done, the disk that there is counts.
    for (const open of [ordered, begunOf(ordered)]) expect(ok(open, 0)).toBe(true);
    expect([ok(doneOf(begunOf(ordered)), 1), ok(doneOf(begunOf(ordered)), 0)]).toEqual([
      true,
      false,
    ]);
    expect(ok(doneOf(begunOf(ordered)), 0, ['other-disk-leads'])).toBe(true);
  });
});
