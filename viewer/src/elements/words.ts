/** The session's words: sentences in its language with its nodes' names. */

import { count, shortNumber } from '../base/format.ts';
import { CATALOGUES, type Catalogue, say, term } from '../catalogue/catalogue.ts';
import type { Lane } from '../model/lanes.ts';
import { servers } from '../model/servers.ts';
import type { Attribute, TrackValue } from '../model/tracks.ts';
import type { Session } from '../session.ts';

type Value = string | number | boolean;

/** A sentence of the page. */
export function words(
  session: Session,
  code: string,
  parameters: { readonly [name: string]: Value } = {},
): string {
  return say(session.language, code, parameters, nodeNames(session));
}

/** What an event says, in one sentence. */
export function sentence(session: Session, ref: number): string {
  const event = session.run.at(ref);
  return say(session.language, `event.${event.kind}`, event.d, nodeNames(session));
}

/** The name of a kind of event: its sentence without what is in braces. */
export function kindWords(session: Session, kind: string): string {
  const catalogue: Catalogue = CATALOGUES[session.language];
  const code = `event.${kind}`;
  return Object.hasOwn(catalogue, code) ? catalogue[code]! : kind;
}

export function nodeName(session: Session, node: number): string {
  return node === 0 ? words(session, 'page.world') : session.run.names.node(node);
}

export function laneTitle(session: Session, lane: Lane): string {
  const { names } = session.run;
  switch (lane.kind) {
    case 'owner':
      return words(session, 'page.lane-owner', { group: lane.object });
    case 'world':
      return words(session, 'page.lane-world');
    case 'node': {
      const code = names.isWitness(lane.node) ? 'page.lane-witness' : 'page.lane-node';
      return words(session, code, { node: names.node(lane.node) });
    }
    case 'volume':
      return words(session, 'page.lane-volume', {
        node: names.node(lane.node),
        volume: lane.object,
      });
  }
}

/** A state's value as a cell or a bar shows it. */
export function stateWords(session: Session, attribute: Attribute, value: TrackValue): string {
  if (value === '') return '–';
  switch (attribute) {
    case 'owner':
      return value === 0 ? term(session.language, 'nobody') : session.run.names.node(Number(value));
    case 'dirty':
    case 'epoch':
    case 'ownerEpoch':
      return typeof value === 'number' ? count(value) : value;
    case 'generation':
      return typeof value === 'number' ? shortNumber(value) : value;
    case 'serving':
      return serversWords(session, String(value));
    default:
      return term(session.language, value);
  }
}

/** "nobody", "a", or "a, b" when two run it at once. */
function serversWords(session: Session, serving: string): string {
  const nodes = servers(serving);
  if (nodes.length === 0) return term(session.language, 'nobody');
  return words(session, 'page.nodes', { nodes: nodes.join(',') });
}

function nodeNames(session: Session): { node: (id: number) => string } {
  return { node: (id) => session.run.names.node(id) };
}
