/** The status of a node as tables for a terminal. */
import Table from 'cli-table3';
import type { HostStatus } from '../backends/real/host-status.ts';
import type { FailingReason, Meters, VerifyReport } from '../engine/data/messages.ts';
import { branchText, holdingText, lostText } from './branch-text.ts';
import { formatSize } from './config/units.ts';
import { configLines } from './config-text.ts';
import { refusalText } from './nodes.ts';
import { lagLines } from './spill-text.ts';
import { splitLine } from './split-text.ts';
import { wayBackText } from './way-back-text.ts';

type OwnReplica = NonNullable<HostStatus['status']['volumes'][number]['local']>;

/** Several lines, without a line feed at the end. `exclusivity` is the guarantee in words. */
export function statusText(host: HostStatus, exclusivity: string): string {
  const { status, names, processes } = host;
  const name = (id: number): string => names[String(id)] ?? (id === 0 ? '–' : `node ${id}`);
  const seconds = (micros: number): string => `${(micros / 1e6).toFixed(1)} s`;
  const { held, until } = status.lease;
  const lease = held ? `held for ${seconds(until - host.now)} more` : 'not held';
  const pid = (process_: { pid: number } | null): string => String(process_?.pid ?? 'none');
  const head = [
    `Cluster ${host.cluster}, seen by node ${host.node} (understudy ${host.build})`,
    `Leader ${name(status.leader)}, term ${status.term}, ${status.committed} entries committed`,
    `Lease ${lease}`,
    `Guarantee: ${exclusivity}`,
    `Processes: core ${pid(processes.core)} (${processes.coreRestarts} restarts), ` +
      `monitor ${pid(processes.monitor)} (${processes.monitorRestarts}), ` +
      `guardian ${pid(processes.guardian)} (${processes.guardianRestarts})`,
  ];
  for (const id of host.otherConfig) {
    head.push(
      `Node ${name(id)} runs another configuration and is not heard: give every node the same ` +
        'file, and restart those that had another',
    );
  }
  head.push(...configLines(host, name));
  const parts = [head.join('\n')];
  parts.push(
    table(
      ['node', 'state', 'links', 'heard'],
      status.peers.map(({ node, up, links }) => [
        name(node),
        up ? 'up' : 'down',
        links.map((link) => (link.up ? 'up' : 'down')).join(' '),
        links.map(({ heard }) => (heard < 0 ? 'never' : seconds(host.now - heard))).join(' '),
      ]),
    ),
  );
  parts.push(
    table(
      ['volume', 'primary', 'epoch', 'in sync', 'here', 'role', 'link', 'dirty', 'export'],
      status.volumes.map(({ volume, mode, primary, epoch, members, asynchronous = [], local }) => [
        mode === undefined ? volume : `${volume} (${mode})`,
        name(primary),
        String(epoch),
        [
          ...members.map(({ node }) => name(node)),
          ...asynchronous.map((node) => `(asynchronous: ${name(node)})`),
        ].join(' '),
        local === null ? 'no replica' : diskOf(local, asynchronous.includes(status.node)),
        local?.role ?? '',
        local?.link ?? '',
        local === null ? '' : String(local.dirty),
        exportOf(host, volume),
      ]),
    ),
  );
  for (const [volume, list] of Object.entries(host.parts ?? {})) {
    parts.push(
      table(
        [`part of ${volume}`, 'size', 'here', 'address'],
        list.map(({ part, sizeBytes, path, uris }) => {
          return [part, `${sizeBytes / 1048576} MiB`, path, uris.join('\n')];
        }),
      ),
    );
  }
  for (const { volume, local } of status.volumes) {
    if (local?.failing !== undefined) parts.push(alarmText(volume, local.failing));
  }
  for (const { volume, local, members } of status.volumes) {
    if (local?.proxies !== true) continue;
    parts.push(proxyText(volume, members.map(({ node }) => name(node)).join(', ')));
  }
  for (const volume of status.volumes) {
    parts.push(splitLine(volume, name), holdingText(volume.volume, volume.keptBranches, name));
  }
  parts.push(
    table(
      ['group', 'owner', 'epoch', 'state', 'application here'],
      status.groups.map(({ group, owner, epoch, state, blocked }) => [
        group,
        name(owner),
        String(epoch),
        blocked === undefined ? state : `${state}: ${refusalText(blocked.reason, blocked.remedy)}`,
        host.applications.find((application) => application.group === group)?.state ?? '–',
      ]),
    ),
  );
  for (const { volume, local } of status.volumes) {
    if (local?.wayBack !== undefined)
      parts.push(`Way back of ${volume}: ${wayBackText(local.wayBack)}`);
  }
  for (const { volume, local } of status.volumes) {
    if (local?.keptBranch !== undefined)
      parts.push(`Branch of ${volume} that was given up: ${branchText(local.keptBranch)}`);
    if (local?.lostBranch !== undefined)
      parts.push(`Branch of ${volume} that was given up: ${lostText(local.lostBranch)}`);
  }
  parts.push(...lagLines(host, name));
  for (const { volume, local } of status.volumes) {
    if (local?.verify !== undefined || local?.nextVerify !== undefined) {
      parts.push(`Comparison of ${volume}: ${comparisonText(local.verify, local.nextVerify)}`);
    }
  }
  for (const { volume, local } of status.volumes) {
    if (local?.meters === undefined) continue;
    const cpu = Number(host.volumes[volume]?.['cpuPercent'] ?? 0);
    parts.push(`Load of ${volume}: ${loadText(local.meters, cpu)}`);
  }
  parts.push(`Control datagrams: ${countersOf(host.control)}`);
  for (const [volume, stats] of Object.entries(host.volumes)) {
    parts.push(`Volume ${volume}: ${countersOf(stats)}`);
  }
  return parts.filter((part) => part !== '').join('\n');
}

/** What clients ask for, what it takes them, and how much of that the mirror adds. */
function loadText(meters: Meters, cpuPercent: number): string {
  const { micros, reads, writes, writeMicros, readMicros, addedMicros, writeMost } = meters;
  const perSecond = (count: number): string => Math.round((count * 1e6) / micros).toString();
  const mib = (bytes: number): string => `${((bytes * 1e6) / micros / 1048576).toFixed(1)} MiB/s`;
  const millis = (sum: number, count: number): string => `${(sum / count / 1000).toFixed(2)} ms`;
  const words: string[] = [];
  if (writes > 0) {
    words.push(
      `${perSecond(writes)} writes/s (${mib(meters.bytesWritten)}) in ` +
        `${millis(writeMicros, writes)}, ${millis(addedMicros, writes)} of it for the mirror, ` +
        `99 % within ${millis(writeMost, 1)}`,
    );
  }
  if (reads > 0) {
    const took = millis(readMicros, reads);
    words.push(`${perSecond(reads)} reads/s (${mib(meters.bytesRead)}) in ${took}`);
  }
  if (meters.bytesSent > 0) words.push(`${mib(meters.bytesSent)} to the other replica`);
  if (words.length === 0) return 'none';
  return `${words.join('; ')}; ${cpuPercent} % of a processor`;
}

/** A disk that failed under a service that stayed. */
function proxyText(volume: string, through: string): string {
  return (
    `ALARM: the disk of ${volume} here has failed. The volume is served through the copy of ` +
    `${through}. Move the group to another host (understudy switch) when it suits, then replace ` +
    'the disk: this host is no copy until then'
  );
}

/** What is known of a disk that is likely to fail, and what to do about it. */
function alarmText(volume: string, reason: FailingReason): string {
  const why =
    reason === 'spare'
      ? 'four fifths of its spare blocks are in use'
      : 'twenty of its blocks went bad within a day';
  return (
    `ALARM: the disk of ${volume} here may fail soon: ${why}. Nothing is lost. Move the group ` +
    'to the other host (understudy switch), and replace this disk while that copy is whole'
  );
}

/** How the last comparison stands, and when the next one is due. */
function comparisonText(verify: VerifyReport | undefined, dueIn: number | undefined): string {
  const words: string[] = [];
  if (verify !== undefined) {
    const { level, state, cursor, blocks, differing, repaired, unreadable } = verify;
    const { disagreements } = verify;
    const far = state === 'done' ? state : `${state} at block ${cursor} of ${blocks}`;
    const found =
      level === 'quick'
        ? `${disagreements.length} disagreements`
        : `${differing} differ, ${repaired} repaired, ${unreadable} unreadable`;
    words.push(`${level}, ${far}, ${found}`);
  }
  if (dueIn !== undefined) words.push(`next in ${spanText(dueIn)}`);
  return words.join('; ');
}

function spanText(micros: number): string {
  const hours = micros / 3.6e9;
  if (hours >= 48) return `${(hours / 24).toFixed(1)} days`;
  return hours >= 1 ? `${hours.toFixed(1)} h` : `${Math.ceil(micros / 6e7)} min`;
}

/**
 * How the own replica is, and why if it is bad. An asynchronous one is Inconsistent between two of
 * its points as well: then what matters is whether it has the way back to the last one.
 */
function diskOf({ disk, doubted, pathLost, wayBack }: OwnReplica, asynchronous: boolean): string {
  const path = pathLost === true ? ', path lost' : '';
  const back = wayBack !== undefined && wayBack.state !== 'lost';
  const between = asynchronous && disk === 'Inconsistent' && back;
  return (between ? 'between two points' : disk) + (doubted ? ', doubted' : '') + path;
}

function exportOf({ volumes, config }: HostStatus, volume: string): string {
  const { export: isOpen, exportBytes } = volumes[volume] ?? {};
  if (isOpen === undefined) return '';
  const { sizeBytes = 0 } = config.volumes.find(({ name }) => name === volume) ?? {};
  const less = typeof exportBytes === 'number' && exportBytes < sizeBytes;
  // How much it may become yet.
  const shows = less ? `, ${formatSize(exportBytes)} of ${formatSize(sizeBytes)}` : '';
  return (isOpen === true ? 'open' : 'closed') + shows;
}

/** What is not zero, for a page of zeroes hides the one that matters. */
function countersOf(counters: Readonly<Record<string, number | string | boolean>>): string {
  const shown = Object.entries(counters).filter(([, value]) => value !== 0 && value !== '');
  return shown.map(([key, value]) => `${key} ${value}`).join(', ') || 'none';
}

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return '';
  const drawn = new Table({ head, style: { head: [], border: [], compact: true } });
  drawn.push(...rows);
  return drawn.toString();
}
