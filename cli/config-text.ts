/** What a change of the configuration would do, and how far it is, in words. */
import type { HostStatus } from '../backends/real/host-status.ts';
import { type ConfigChange, leaves, nodeOf, servedOf } from '../engine/cluster/changes.ts';
import type { ConfigStatus } from '../engine/cluster/interface.ts';
import type { VolumeConfig } from '../engine/core/config.ts';
import { formatSize } from './config/units.ts';
import { refusalText } from './nodes.ts';

type Name = (node: number) => string;

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1048576)} MiB`;

/** What is known of the volume as it is now. */
export interface VolumeNow {
  readonly config: VolumeConfig;
  /** Nodes whose replicas have everything. */
  readonly members: readonly number[];
  /** The one that is about to go by a change that is under way; 0 for none. */
  readonly going: number;
}

/** Several lines, without a line feed at the end. `file` is the one that asks for the change. */
export function changeText(
  change: ConfigChange,
  { config, members, going }: VolumeNow,
  file: string,
  name: Name,
): string {
  const { volume } = change;
  const size = mebibytes(config.sizeBytes);
  const lines: string[] = [];
  const make = (node: string, path: string): void => {
    lines.push(
      `Before it is taken into use, make the replica on ${node}, while its node runs:`,
      `  understudy replica new ${file} --name ${node} --volume ${volume}`,
      `(${path} must not hold anything that is to be kept.)`,
    );
  };
  switch (change.kind) {
    case 'add-replica': {
      const node = name(change.replica.node);
      lines.push(
        `Volume ${volume} gets a replica on ${node} (${change.replica.path}). It is empty at ` +
          `first, and filled with a copy of up to ${size} while the volume is served.`,
      );
      make(node, change.replica.path);
      lines.push(RESTARTS);
      break;
    }
    case 'remove-replica': {
      const node = name(change.node);
      const left = config.replicas.length - 1;
      lines.push(
        `The replica on ${node} leaves volume ${volume}, which has ${left} then. What is on it ` +
          'stays there, is not kept up any more, and is served by nobody.',
        RESTARTS,
      );
      break;
    }
    case 'replace-replica': {
      const node = name(change.node);
      lines.push(
        `Replica of volume ${volume} on ${node} moves to ${change.path}, an empty one, filled ` +
          `with a copy of up to ${size} while the volume is served. The old one is left as it is.`,
      );
      make(node, change.path);
      lines.push(`Only the core of ${node} starts anew. It counts when the copy is done.`);
      break;
    }
    case 'grow-volume': {
      const { servedBytes } = change;
      const now = servedOf(config);
      lines.push(
        servedBytes < now
          ? `What was ordered for volume ${volume} is taken back, if clients see ` +
              `${formatSize(servedBytes)} of it now; else this is refused.`
          : `Volume ${volume} grows from ${formatSize(now)} to ${formatSize(servedBytes)}, ` +
              `of the ${formatSize(config.sizeBytes)} that its replicas have. No core starts ` +
              'anew, and nothing is copied: they are equal there as everywhere. Clients see it ' +
              'when they connect anew; what is new reads as it was left, zeroes in a file that ' +
              'nobody wrote.',
      );
    }
  }
  const kept = members.filter((node) => node !== going);
  lines.push(riskText(change, config, kept, name));
  return lines.join('\n');
}

const RESTARTS =
  'Each node starts its core anew, the one that serves first, and lays its metadata out anew: ' +
  'requests wait for about a second, and the application goes on. With more than 100 GiB it ' +
  'takes longer, and the group may move to another member meanwhile. Until the replicas are ' +
  'in step again there is one copy fewer.';

/** Whether what is acknowledged is safe meanwhile. */
function riskText(
  change: ConfigChange,
  { replicas }: VolumeConfig,
  members: readonly number[],
  name: Name,
): string {
  const out = replicas.filter(({ node, mode }) => mode !== 'async' && !members.includes(node));
  const goes = leaves(change) ? nodeOf(change) : 0;
  const kept = members.filter((node) => node !== goes);
  const missing = out.map(({ node }) => name(node)).join(', ');
  const note = missing === '' ? '' : ` Not in sync now: ${missing}.`;
  if (kept.length >= 2) {
    return `Data at risk: none; ${kept.map(name).join(' and ')} have everything.${note}`;
  }
  const only = kept.map(name).join('');
  return (
    `Data at risk: until the copy is done only ${only === '' ? 'nobody' : only} has everything: ` +
    `should that disk be lost meanwhile, so is what it has.${note}`
  );
}

/** What `understudy status` says of the configuration; none where there is nothing to say. */
export function configLines({ status, fileDiffers, node }: HostStatus, name: Name): string[] {
  const lines: string[] = [];
  const { config } = status;
  if (config !== undefined) {
    const { agreed, inUse, waits, others, stage, changes } = config;
    const behind = others.filter((each) => each.inUse < agreed).map((each) => name(each.node));
    const here = inUse < agreed ? `, ${inUse} in use here` : '';
    const there = behind.length === 0 ? '' : `, not in use yet on ${behind.join(', ')}`;
    lines.push(`Configuration: version ${agreed} is agreed on${here}${there}`);
    const open = stage === undefined ? undefined : changes.at(-1)?.change;
    if (open !== undefined) {
      const until =
        stage === 'ordered' ? 'not begun, and can be taken back' : 'begun, and not done';
      lines.push(`Its last change is ${until}; no other one is agreed on before it is done`);
      lines.push(...openRisk(open, status.volumes, name));
    }
    if (waits !== undefined) {
      lines.push(`It waits: ${waitText(waits, name)}`);
    }
  }
  if (fileDiffers) {
    lines.push(
      `The file that node ${node} was started with says something else than what is agreed on, ` +
        'which counts: write the change into it as well',
    );
  }
  return lines;
}

/** For what a change waits, and for which node, if it is one. */
export function waitText({ reason, node }: NonNullable<ConfigStatus['waits']>, name: Name): string {
  return refusalText(reason, 'none') + (node === 0 ? '' : ` (${name(node)})`);
}

/** What is at risk while a replica is about to go, or to be filled on another disk. */
function openRisk(
  change: ConfigChange,
  volumes: HostStatus['status']['volumes'],
  name: Name,
): string[] {
  if (change.kind !== 'remove-replica' && change.kind !== 'replace-replica') return [];
  const { members = [] } = volumes.find(({ volume }) => volume === change.volume) ?? {};
  const kept = members.filter(({ node }) => node !== change.node);
  if (kept.length > 1) return [];
  const only = kept.map(({ node }) => name(node)).join('');
  return [
    `Data at risk: of volume ${change.volume} only ${only === '' ? 'nobody' : only} has ` +
      `everything beside ${name(change.node)}, whose replica is to ` +
      (change.kind === 'remove-replica' ? 'leave' : 'be filled on another disk'),
  ];
}

/** The node whose replica goes by a change that is under way; 0 for none. */
export function goingBy(config: ConfigStatus | undefined, volume: string): number {
  const open = config?.stage === undefined ? undefined : config.changes.at(-1)?.change;
  if (open === undefined || !leaves(open) || open.volume !== volume) return 0;
  return nodeOf(open);
}
