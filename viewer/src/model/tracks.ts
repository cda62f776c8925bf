/** Tracks: one attribute of one thing over time, as a series of its changes. */

import { severityOfState } from './kinds.ts';
import { Series } from './series.ts';

/** What can be said of a node, of a volume on a node, or of a group. */
export type Attribute =
  | 'state'
  | 'rank'
  | 'lease'
  | 'role'
  | 'disk'
  | 'link'
  | 'dirty'
  | 'epoch'
  | 'generation'
  | 'owner'
  | 'serving'
  | 'application'
  | 'boot'
  | 'ownerEpoch'
  | 'service';

export type TrackValue = string | number;

/** One attribute of one thing; `node` is 0 for a group, `object` '' for a node. */
export class Track {
  readonly attribute: Attribute;
  readonly node: number;
  readonly object: string;
  readonly series: Series = new Series();
  /** `series.values` are indices of this; 0 stands for "not known". */
  readonly values: TrackValue[] = [''];
  #codes = new Map<TrackValue, number>();

  constructor(attribute: Attribute, node: number, object: string) {
    this.attribute = attribute;
    this.node = node;
    this.object = object;
  }

  /** The value that holds at `time`, '' when none is known. */
  at(time: number): TrackValue {
    const point = this.series.lastAt(time);
    return point < 0 ? '' : this.values[this.series.values[point]!]!;
  }

  /** The latest value. */
  get current(): TrackValue {
    const { series, values } = this;
    return series.length === 0 ? '' : values[series.values[series.length - 1]!]!;
  }

  /** The event behind the value at `time`, -1 when none is known. */
  sourceAt(time: number): number {
    const point = this.series.lastAt(time);
    return point < 0 ? -1 : this.series.refs[point]!;
  }

  /** Notes a value; nothing happens when it is the one that holds. */
  set(value: TrackValue, time: number, ref: number): void {
    if (this.current === value) return;
    this.series.push(time, this.#code(value), severityOfState(this.attribute, value), ref);
  }

  #code(value: TrackValue): number {
    if (value === '') return 0;
    let code = this.#codes.get(value);
    if (code === undefined) {
      code = this.values.length;
      this.values.push(value);
      this.#codes.set(value, code);
    }
    return code;
  }
}

/** All tracks of a run. */
export class Tracks {
  #tracks = new Map<string, Track>();

  get(attribute: Attribute, node: number, object: string): Track {
    const key = `${attribute}|${node}|${object}`;
    let track = this.#tracks.get(key);
    if (track === undefined) {
      track = new Track(attribute, node, object);
      this.#tracks.set(key, track);
    }
    return track;
  }

  /** The value at `time` without making a track. */
  at(attribute: Attribute, node: number, object: string, time: number): TrackValue {
    return this.#tracks.get(`${attribute}|${node}|${object}`)?.at(time) ?? '';
  }

  find(attribute: Attribute, node: number, object: string): Track | undefined {
    return this.#tracks.get(`${attribute}|${node}|${object}`);
  }
}
