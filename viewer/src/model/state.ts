/** The state of everything at one moment, as rows of a table. */
import type { Run } from './run.ts';
import type { Attribute, TrackValue } from './tracks.ts';

export interface Cell {
  readonly attribute: Attribute;
  readonly value: TrackValue;
  /** Event that made it so, -1 when none is known. */
  readonly source: number;
}

export interface StateRow {
  readonly kind: 'group' | 'node' | 'volume';
  readonly node: number;
  readonly object: string;
  readonly cells: readonly Cell[];
}

const GROUP: readonly Attribute[] = ['serving', 'owner', 'service', 'ownerEpoch'];
const NODE: readonly Attribute[] = ['state', 'rank', 'lease'];
const VOLUME: readonly Attribute[] = ['role', 'disk', 'link', 'epoch', 'generation', 'dirty'];

export function stateAt(run: Run, time: number): StateRow[] {
  const rows: StateRow[] = [];
  for (const { kind, node, object } of run.lanes.list) {
    if (kind === 'owner') rows.push(row(run, time, 'group', 0, object, GROUP));
    if (kind === 'node') rows.push(row(run, time, 'node', node, '', NODE));
    if (kind === 'volume') rows.push(row(run, time, 'volume', node, object, VOLUME));
  }
  return rows;
}

function row(
  run: Run,
  time: number,
  kind: StateRow['kind'],
  node: number,
  object: string,
  attributes: readonly Attribute[],
): StateRow {
  const cells = attributes.map((attribute) => {
    const track = run.tracks.find(attribute, node, object);
    return { attribute, value: track?.at(time) ?? '', source: track?.sourceAt(time) ?? -1 };
  });
  return { kind, node, object, cells };
}
