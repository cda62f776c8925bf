/**
 * Says a schedule as a person would: "cut replication link at 100 ms; power off node a at 2.9 s".
 */
import type { Fault, Links, Moment, Role } from '../backends/sim/fault.ts';
import type { NodeId } from '../engine/core/units.ts';
import { sayTime } from './time.ts';

/** Names of the nodes, by number. */
export type Names = (node: NodeId) => string;

/** The whole schedule in one sentence, in the order of time. */
export function describeSchedule(faults: readonly Fault[], names: Names): string {
  if (faults.length === 0) return 'no faults';
  return [...faults]
    .sort((a, b) => a.at - b.at || faults.indexOf(a) - faults.indexOf(b))
    .map((fault) => describeFault(fault, names))
    .join('; ');
}

/** One fault. */
export function describeFault(fault: Fault, names: Names): string {
  const span = fault.for === 0 ? '' : ` for ${sayTime(fault.for)}`;
  return `${what(fault, names)} at ${sayTime(fault.at)}${span}${moment(fault)}`;
}

function what(fault: Fault, names: Names): string {
  const node = who(fault.target, names);
  switch (fault.kind) {
    case 'cut':
      return `cut ${wire(fault, names)}`;
    case 'clog':
      return `clog ${wire(fault, names)}`;
    case 'loss':
      return `lose ${Math.floor(fault.ppm / 10_000)} % on ${wire(fault, names)}`;
    case 'power-off':
      return `power off ${node}${cache(fault)}`;
    case 'reboot':
      return `reset ${node}${cache(fault)}`;
    case 'power-off-hosts':
      return `power off every host${cache(fault)}`;
    case 'power-off-all':
      return `power off the whole site${cache(fault)}`;
    case 'kill-core':
      return `kill the core of ${node}`;
    case 'kill-monitor':
      return `kill the monitor of ${node}`;
    case 'pause-core':
      return `pause the core of ${node}`;
    case 'freeze':
      return `freeze ${node}${fault.clockStops ? ' with its clock' : ''}`;
    case 'clock-rate':
      return `let the clock of ${node} gain ${fault.ppm} ppm`;
    case 'wipe':
      return `replace the disk of ${node} by an empty one`;
    case 'lose-folder':
      return `delete what the core of ${node} has written down, and let it start anew`;
    case 'read-error':
      return unreadable(fault, names);
    case 'verify':
      return `have ${node} compare the replicas, and repair the other one`;
    case 'quiesce':
      return `have ${node} hold a quiesce point`;
    case 'return':
      return `have ${node} put back what an unfinished resync overwrote`;
    case 'switch':
      return `switch the service to ${node}`;
    case 'new-disk':
      return `take the disk of ${node} out, and put an empty one in`;
    case 'resolve':
      return `order that the data of ${node} be kept${SAID[fault.ppm] ?? ''}`;
    case 'take-over':
      return `accept what is lost without the others, and let ${node} lead`;
    case 'add-replica':
      return `give ${node} a replica of the first volume`;
    case 'remove-replica':
      return `take the replica of ${node} out of the first volume`;
    case 'replace-replica':
      return fault.ppm === 1
        ? `have the replica of ${node} put back on its earlier disk`
        : `have the replica of ${node} filled on another disk`;
    case 'grow-volume':
      return 'make the first volume larger';
    case 'take-back':
      return `take the order back${SAID[fault.ppm] ?? ''}`;
    default:
      return disk(fault, node);
  }
}

/** How an order is said: see backends/sim/operators.ts. */
const SAID: readonly string[] = [
  '',
  ', and what is written until then',
  ', as last time',
  ', as first',
];

/** What befalls the disk of a node. */
function disk(fault: Fault, host: string): string {
  const { area, part } = fault;
  const place = part === undefined ? `the disk of ${host}` : `the disk of part ${part} of ${host}`;
  const what = area === 'everything' ? 'data and metadata' : area;
  const percent = Math.floor(fault.ppm / 10_000);
  const some = fault.ppm === 0 ? '' : `${percent === 0 ? 'few' : `${percent} %`} of `;
  const writes = `${some}the ${area === 'data' ? '' : `${what} `}writes on ${place}`;
  switch (fault.kind) {
    case 'lying-flush':
      return `let ${place} answer flushes that it does not carry out`;
    case 'lost-write':
      return `lose ${writes}, acknowledged`;
    case 'misdirected-write':
      return `let ${writes} land in another place`;
    case 'stale-read':
      return `let ${some}the blocks on ${place} read as they are now`;
    case 'write-error':
      return `let ${writes} fail`;
    case 'disk-stall':
      return some === '' ? `stall ${place}` : `let ${some}the operations on ${place} never end`;
    case 'path-loss':
      return `cut the path to ${place}`;
    case 'bit-rot':
      return `let ${what} on ${place} rot`;
    default: {
      const which = part === undefined ? 'its disk' : `the disk of part ${part}`;
      const back = `with ${which} as it was ${sayTime(fault.age)} before`;
      return `power off ${host}${cache(fault)}, to return ${back}`;
    }
  }
}

function unreadable(fault: Fault, names: Names): string {
  const disks = fault.peer === 0 ? 'disk' : 'disks';
  const whose = fault.peer === 0 ? '' : ` and ${who(fault.peer, names)}`;
  const most = fault.ppm === 0 ? 'few sectors' : `${Math.floor(fault.ppm / 10_000)} % of the reads`;
  return `let ${most} fail on the ${disks} of ${who(fault.target, names)}${whose}`;
}

function wire(fault: Fault, names: Names): string {
  const from = who(fault.target, names);
  const to = fault.peer === 0 ? 'everybody' : who(fault.peer, names);
  const arrow = fault.ways === 'both' ? 'and' : fault.ways === 'out' ? 'to' : 'from';
  return `${links(fault.links)} between ${from} ${arrow} ${to}`
    .replace(/between (.*) to (.*)/, 'from $1 to $2')
    .replace(/between (.*) from (.*)/, 'to $1 from $2');
}

function links(value: Links): string {
  switch (value) {
    case 'all':
      return 'all links';
    case 'replication':
      return 'replication link';
    case 'control':
      return 'control links';
    default:
      return `control link ${value.slice(-1)}`;
  }
}

function who(target: NodeId | Role, names: Names): string {
  return typeof target === 'number' ? `node ${names(target)}` : `the ${target}`;
}

function cache(fault: Fault): string {
  switch (fault.cache) {
    case 'none':
      return ', losing its caches';
    case 'all':
      return ', keeping its caches';
    case 'newest':
      return ', keeping only the newest of its caches';
    default:
      return '';
  }
}

function moment({ when, nth, after }: Fault): string {
  const times = nth === 1 ? '' : `, the ${nth}th time`;
  const later = after > 0 ? `, ${sayTime(after)} later` : '';
  return `${said(when)}${times}${later}`;
}

function said(when: Moment): string {
  switch (when) {
    case 'write':
      return ', in the middle of a write';
    case 'resync':
      return ', at the next resync';
    case 'removal':
      return ', while a removal is pending';
    case 'stop':
      return ', while the service stops';
    case 'hand-over':
      return ', when a host has given up the volume';
    case 'take-over':
      return ', at the next take-over';
    case 'handshake':
      return ', when the replicas have compared themselves';
    case 'copied':
      return ', when a copy is finished';
    case 'resync-end':
      return ', when the copy counts as a member';
    case 'message':
      return ', when it sends the other replica a message';
    case 'meta-write':
      return ', as its disk ends a write of metadata';
    case 'link-up':
      return ', when its replication link comes up';
    case 'attach':
      return ', when it begins to read its metadata';
    default:
      return '';
  }
}
