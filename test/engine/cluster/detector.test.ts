import { describe, expect, it } from 'vitest';
import { Detector } from '../../../engine/cluster/detector.ts';
import { Links } from '../../../engine/cluster/heartbeat.ts';
import { LeaseVoter } from '../../../engine/cluster/lease.ts';
import type { AttestMessage, AttestRequestMessage } from '../../../engine/cluster/messages.ts';
import { Durability } from '../../../engine/cluster/persist.ts';
import type { ClusterState } from '../../../engine/cluster/state.ts';
import { contextOf, heartbeatOf, OWNED, ofKind, STILL } from '../../support/control-fixtures.ts';

const GRANT = 3_200_000;
const START = 10_000_000;

function setup(canaries: readonly string[] = []) {
  const { context, marks } = contextOf(3, canaries);
  context.now = START;
  context.startedAt = START;
  const links = new Links(context, () => STILL);
  const durability = new Durability(context);
  const voter = new LeaseVoter();
  const at: { state: ClusterState } = { state: OWNED };
  const detector = new Detector(context, links, durability, voter, () => at.state);
  detector.awakeSince = START;
  return { context, links, durability, voter, detector, marks, at };
}

const REQUEST: AttestRequestMessage = {
  kind: 'attest-request',
  boot: 12,
  life: 1002,
  event: '2.1.c9',
  node: 1,
  lease: 1,
};

function sent(context: ReturnType<typeof setup>['context']): readonly string[] {
  return ofKind(context.take(), 'send').map((d) => d.message.kind);
}

describe('a voter that is asked about an owner', () => {
  it('attests nothing for G after its own restart', () => {
    const { context, detector, voter, durability } = setup();
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(0);
    expect(detector.due).toBe(START + GRANT);
    context.now = START + GRANT - 1;
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(0);
    context.now = START + GRANT;
    detector.tick();
    expect(voter.attestedEpoch(1)).toBe(1);
    durability.flush(() => ({}));
    durability.persisted(1);
    expect(sent(context)).toEqual(['attest']);
  });

  it('promises nothing to who asks and does not hear it, so that others may take over', () => {
    const promised = (...canaries: string[]): boolean[] => {
      const { context, links, detector, marks } = setup(canaries);
      const peer = links.peer(1);
      if (peer === null) throw new Error('node 1 is a peer');
      const answers = ['', '3.1.c7', ''].map((suspectEvent, i) => {
        peer.suspectEvent = suspectEvent;
        context.now += 500_000;
        return detector.renew(1, heartbeatOf(1, { lease: 1, sent: 5 + i }));
      });
      expect(marks.includes('lease-refused-deaf')).toBe(answers.includes(false));
      return answers;
    };
    expect(promised()).toEqual([true, false, true]);
    expect(promised('deaf-renewed')).toEqual([true, true, true]);
  });

  it('attests nothing for G after a renewal', () => {
    const { context, detector, voter } = setup();
    context.now = START + GRANT;
    expect(detector.renew(1, heartbeatOf(1, { lease: 1, sent: 5 }))).toBe(true);
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(0);
    context.now += GRANT;
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(1);
  });

  it('says nothing before its attestation is durable, and renews no more', () => {
    const { context, detector, durability } = setup();
    context.now = START + GRANT;
    detector.onRequest(2, REQUEST);
    expect(sent(context)).toEqual([]);
    expect(detector.renew(1, heartbeatOf(1, { lease: 1, sent: 5 }))).toBe(false);
    durability.flush(() => ({}));
    durability.persisted(1);
    expect(sent(context)).toEqual(['attest']);
  });

  it('says it again when asked again', () => {
    const { context, detector, durability } = setup();
    context.now = START + GRANT;
    detector.onRequest(2, REQUEST);
    durability.flush(() => ({}));
    durability.persisted(1);
    context.take();
    detector.onRequest(2, REQUEST);
    expect(sent(context)).toEqual(['attest']);
  });

  it('judges nobody at once after it has slept', () => {
    const { context, detector, voter } = setup();
    context.now = START + 100_000_000;
    detector.awakeSince = context.now;
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(0);
    context.now += 1_500_000;
    detector.onRequest(2, REQUEST);
    expect(voter.attestedEpoch(1)).toBe(1);
  });

  it('attests nothing about a lease epoch that is settled, nor about itself', () => {
    const { context, detector, voter } = setup();
    context.now = START + GRANT;
    detector.onRequest(2, { ...REQUEST, lease: 2 });
    detector.onRequest(2, { ...REQUEST, node: 3 });
    expect(voter.attested).toEqual([]);
  });

  it('neither renews nor attests while it is blank', () => {
    const { context, detector, voter } = setup();
    context.identity = 999;
    context.now = START + GRANT;
    expect(detector.renew(1, heartbeatOf(1, { lease: 1 }))).toBe(false);
    detector.onRequest(2, REQUEST);
    expect(voter.attested).toEqual([]);
  });
});

describe('a leader that collects attestations', () => {
  const word = (node: number, identity: number): AttestMessage => ({
    kind: 'attest',
    boot: 10 + node,
    life: 1000 + node,
    event: `${node}.1.c5`,
    node: 1,
    lease: 1,
    identity,
  });

  it('has a proof only from a majority of the voters that the log knows', () => {
    const { detector } = setup();
    detector.onAttest(2, word(2, 102));
    detector.onAttest(2, word(2, 102));
    expect(detector.expired(1, 2)).toBeNull();
    detector.onAttest(3, word(3, 999));
    expect(detector.expired(1, 2)).toBeNull();
    detector.onAttest(3, word(3, 103));
    expect(detector.expired(1, 2)?.voters.map((v) => v.node)).toEqual([2, 3]);
    expect(detector.expired(1, 2)?.reads).toEqual(['2.1.c5', '3.1.c5']);
  });

  it('has none any more when the log has settled that lease epoch', () => {
    const { detector, at } = setup();
    detector.onAttest(2, word(2, 102));
    detector.onAttest(3, word(3, 103));
    const leases = at.state.leases.map((l) => ({ ...l, epoch: 2 }));
    at.state = { ...at.state, leases };
    expect(detector.expired(1, 2)).toBeNull();
  });

  it('asks at most twice per heartbeat, however often it looks', () => {
    const { context, detector } = setup();
    for (let i = 0; i < 20; i++) detector.ask(1, 'x');
    expect(sent(context).length).toBe(1);
    context.now += 250_000;
    detector.ask(1, 'x');
    expect(sent(context).length).toBe(1);
  });
});
