/** A host of the control network: what it holds, and the configuration that the tests run. */

import type { Control } from '../../engine/cluster/control.ts';
import type { ControlInput, Durable } from '../../engine/cluster/interface.ts';
import type { ClusterConfig } from '../../engine/core/config.ts';
import { DEFAULT_TIMING } from '../../engine/core/config.ts';
import type { VolumeRecord } from '../../engine/data/messages.ts';
import type { ApplicationWord } from '../../engine/ports/application.ts';

export const VOLUME = 'data';
export const GROUP = 'shop';
export const MS = 1000;
export const S = 1_000_000;

/** Two hosts and a witness, one group of one volume and one application. */
export function testConfig(change: Partial<ClusterConfig> = {}): ClusterConfig {
  const node = (id: number, name: string, witness: boolean) => ({
    id,
    name,
    witness,
    control: [`10.0.0.${id}:7400`, `10.0.1.${id}:7400`],
    replication: witness ? '' : `10.0.0.${id}:7401`,
    watchdog: witness ? 'none' : '/dev/watchdog',
  });
  return {
    name: 'test',
    nodes: [node(1, 'a', false), node(2, 'b', false), node(3, 'w', true)],
    volumes: [
      {
        name: VOLUME,
        uuid: '0123456789abcdef0123456789abcdef',
        sizeBytes: 16 * 1024 * 1024,
        logicalBlock: 4096,
        replicas: [
          { node: 1, path: '/a', meta: '' },
          { node: 2, path: '/b', meta: '' },
        ],
        nbd: [],
        activityLogExtents: 64,
        diskTimeout: 10_000_000,
      },
    ],
    groups: [
      {
        name: GROUP,
        volume: VOLUME,
        application: {
          start: 'start',
          stop: 'stop',
          check: 'check',
          checkEvery: S,
          startTimeout: 10 * S,
          stopTimeout: 10 * S,
        },
        nodes: [1, 2],
      },
    ],
    timing: DEFAULT_TIMING,
    ...change,
  };
}

/** A replica's disk and what its data actor has written there; `cached` is lost with the power. */
export interface Disk {
  seen: number;
  generation: number;
  state: 'UpToDate' | 'Outdated' | 'Inconsistent';
  cached: number;
  flushed: number;
  wasPrimary: boolean;
}

export interface Data {
  alive: boolean;
  record: VolumeRecord | null;
  until: number;
  primary: boolean;
  /** Behind the record that it has. */
  cause: string;
  activeIn: number;
  /** Epoch in which it asked to let the peer in. */
  addingIn: number;
  demotedIn: number;
  wanted: string;
  syncedSince: number;
  /** Boot of the peer whose copy is being made. */
  syncedBoot: number;
}

export interface App {
  state: ApplicationWord;
  epoch: number;
  until: number;
  job: number;
}

export class Host {
  readonly node: number;
  powered = false;
  boot = 0;
  bootedAt = 0;
  offset = 0;
  ppm = 0;
  core: Control | null = null;
  coreLife = 0;
  session = 0;
  durable: Durable | null = null;
  queue: ControlInput[] = [];
  pausedUntil = -1;
  wake = 0;
  readonly disk: Disk = {
    seen: 0,
    generation: 7,
    state: 'UpToDate',
    cached: 0,
    flushed: 0,
    wasPrimary: false,
  };
  data: Data = newData();
  app: App = { state: 'stopped', epoch: 0, until: -1, job: 0 };
  /** How the application behaves here. */
  startFails = false;
  stopFails = false;
  /** The monitor is away: it takes no order and tells nothing; what runs goes on. */
  monitorAway = false;
  guardian = { armed: false, until: -1 };

  constructor(node: number) {
    this.node = node;
  }
}

export function newData(): Data {
  return {
    alive: false,
    record: null,
    until: -1,
    primary: false,
    cause: '',
    activeIn: 0,
    addingIn: 0,
    demotedIn: 0,
    wanted: '',
    syncedSince: -1,
    syncedBoot: 0,
  };
}
