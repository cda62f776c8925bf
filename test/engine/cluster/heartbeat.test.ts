import { describe, expect, it } from 'vitest';
import { Links } from '../../../engine/cluster/heartbeat.ts';
import { contextOf, heartbeatOf, linkUp, ofKind, STILL } from '../../support/control-fixtures.ts';

const SUSPECT = 1_500_000;

function setup() {
  const { context } = contextOf(1);
  context.now = 10_000_000;
  context.startedAt = 10_000_000;
  const links = new Links(context, () => STILL);
  const peer = links.peer(2);
  if (peer === null) throw new Error('node 2 is a peer');
  return { context, links, peer };
}

describe('a link', () => {
  it('is up only when it was heard both ways', () => {
    const { context, links, peer } = setup();
    links.admit(peer, heartbeatOf(2));
    links.onHeartbeat(peer, 0, heartbeatOf(2, { sent: 1 }));
    expect(peer.up).toBe(false);
    const echo = { sent: 2, yours: context.life, heard: context.now };
    links.onHeartbeat(peer, 0, heartbeatOf(2, echo));
    expect(peer.links.map((link) => link.up)).toEqual([true, false]);
    expect(peer.up).toBe(true);
  });

  it('does not take an echo of an earlier life for its own', () => {
    const { context, links, peer } = setup();
    links.admit(peer, heartbeatOf(2));
    const echo = { sent: 2, yours: context.life + 1, heard: context.now };
    links.onHeartbeat(peer, 0, heartbeatOf(2, echo));
    expect(peer.up).toBe(false);
  });

  it('goes down when only one direction is left', () => {
    const { context, links, peer } = setup();
    linkUp(context, links, 2);
    const heard = context.now;
    for (let i = 1; i <= 4; i++) {
      context.now += 500_000;
      for (const n of [0, 1]) {
        const beat = { sent: i + 100, yours: context.life, heard };
        links.onHeartbeat(peer, n, heartbeatOf(2, beat));
      }
      links.tick();
      expect(peer.up).toBe(i * 500_000 <= SUSPECT);
    }
    expect(peer.suspectEvent).not.toBe('');
    const downs = ofKind(context.take(), 'event').filter((d) => d.event.kind === 'link.down');
    expect(downs.map((d) => d.event.d['reason'])).toEqual(['unheard', 'unheard']);
  });
});

describe('what links tell', () => {
  /** Kinds with their causes, by kinds where these are told of as well. */
  function told(context: ReturnType<typeof setup>['context']): string[] {
    const events = ofKind(context.take(), 'event').map(({ event }) => event);
    return events.map(({ kind, cause = '' }) => {
      return `${kind} <- ${events.find(({ id }) => id === cause)?.kind ?? cause}`;
    });
  }

  it('goes back to the life of the peer, and later to nothing but the network', () => {
    const { context, links, peer } = setup();
    links.admit(peer, heartbeatOf(2, { event: '2.1.c1' }));
    const hear = () => {
      const echo = { sent: context.now, yours: context.life, heard: context.now };
      links.onHeartbeat(peer, 0, heartbeatOf(2, echo));
    };
    hear();
    expect(told(context)).toEqual([
      'peer.life <- 2.1.c1',
      'link.up <- peer.life',
      'peer.up <- link.up',
    ]);
    context.now += SUSPECT + 1;
    links.tick();
    expect(told(context).slice(0, 2)).toEqual(['link.down <- ', 'peer.suspect <- link.down']);
    hear();
    expect(told(context)).toEqual(['link.up <- ', 'peer.up <- link.up']);
    expect(peer.upAt).toBe(context.now);
  });

  it('calls a peer that was never heard silent since the own start', () => {
    const { context, links, peer } = setup();
    context.started = 'start';
    context.now += SUSPECT;
    links.tick();
    expect(told(context)).toEqual(['peer.suspect <- start', 'peer.suspect <- start']);
    expect(peer.suspectEvent).not.toBe('');
  });
});

describe('a peer', () => {
  it('is suspect exactly when all its links have been silent too long', () => {
    const { context, links, peer } = setup();
    linkUp(context, links, 2);
    context.take();
    context.now += SUSPECT;
    links.tick();
    links.tick();
    expect(peer.up).toBe(true);
    context.now += 1;
    links.tick();
    expect(peer.up).toBe(false);
    const events = ofKind(context.take(), 'event').filter((d) => d.event.d['peer'] === 2);
    const kinds = events.map((d) => d.event.kind);
    expect(kinds.filter((kind) => kind === 'peer.suspect').length).toBe(1);
  });

  it('is shown that it is heard when its life is new, so that it need not wait for a beat', () => {
    const { context, links, peer } = setup();
    const answers = (beat: Parameters<typeof heartbeatOf>[1], isNew: boolean): number => {
      context.take();
      links.answer(peer, 0, heartbeatOf(2, beat), isNew);
      return ofKind(context.take(), 'send').length;
    };
    const echo = { sent: 7, yours: context.life, heard: context.now };
    expect(answers(echo, true)).toBe(1);
    // A life that is known, and knows us, is answered no more: two would never stop.
    expect(answers(echo, false)).toBe(0);
    expect(answers({ sent: 8, yours: context.life + 1 }, false)).toBe(1);
  });

  it('is suspect because of the link that went last, having read of those that went before', () => {
    const { context, links, peer } = setup();
    linkUp(context, links, 2);
    context.take();
    // Link 1 is heard once more: link 0 goes first.
    context.now += 1_000_000;
    const echo = { sent: 500, yours: context.life, heard: context.now };
    links.onHeartbeat(peer, 1, heartbeatOf(2, echo));
    links.admit(peer, heartbeatOf(2, echo));
    context.now += 600_000;
    links.tick();
    context.now += 1_000_000;
    links.tick();
    const events = ofKind(context.take(), 'event')
      .map((d) => d.event)
      .filter((event) => event.d['peer'] === 2);
    expect(events.map((event) => event.kind)).toEqual(['link.down', 'link.down', 'peer.suspect']);
    const [first, last, suspect] = events;
    expect(first?.d).toMatchObject({ link: 0, reason: 'silence', silent: 1_600_000 });
    expect(last?.d).toMatchObject({ link: 1, reason: 'silence', silent: 1_600_000 });
    expect(suspect?.cause).toBe(last?.id);
    expect(suspect?.reads).toEqual([first?.id]);
    expect(suspect?.d).toEqual({ peer: 2, silent: 1_600_000 });
  });

  it('is known by the life that was shown to live last, however late others speak', () => {
    const { context, links, peer } = setup();
    const shown = (life: number, heard: number) =>
      heartbeatOf(2, { life, boot: life, yours: context.life, heard });
    expect(links.admit(peer, heartbeatOf(2, { life: 50, boot: 50 }))).toBe(true);
    expect(links.admit(peer, shown(51, 1000))).toBe(true);
    // A late message of the life before, and one of a life of which nothing was heard.
    expect(links.admit(peer, heartbeatOf(2, { life: 50 }))).toBe(false);
    expect(links.admit(peer, shown(49, 900))).toBe(false);
    expect(peer.boot).toBe(51);
    expect(links.admit(peer, shown(52, 1001))).toBe(true);
    expect(peer.boot).toBe(52);
  });

  it('is reached through a peer that hears it when its own links are down', () => {
    const { context, links } = setup();
    linkUp(context, links, 3);
    expect(links.reachable(2)).toBe(false);
    const witness = links.peer(3);
    if (witness === null) throw new Error('node 3 is a peer');
    links.onHeartbeat(witness, 0, heartbeatOf(3, { sent: context.now, hears: [2] }));
    expect(links.reachable(2)).toBe(true);
    context.take();
    const { boot, life } = context;
    links.send(2, { kind: 'attest-request', boot, life, event: '', node: 2, lease: 1 });
    const sent = ofKind(context.take(), 'send').map((d) => [d.to, d.message.kind]);
    expect(sent).toEqual([
      [2, 'attest-request'],
      [3, 'relay'],
    ]);
  });
});
