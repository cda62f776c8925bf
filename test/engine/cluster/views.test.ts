import { describe, expect, it } from 'vitest';
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
});
