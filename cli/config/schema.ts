/**
 * The one source of the configuration's shape: what `loadConfig` accepts, and the JSON Schema that
 * `understudy config schema` publishes for editors.
 */
import { z } from 'zod';
import { SPLIT_POLICIES } from '../../engine/core/config.ts';
import { parseDuration, parseSize } from './units.ts';

const name = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_-]{0,31}$/,
    'a name: a letter, then up to 31 letters, digits, - or _',
  );

const duration = z
  .string()
  .refine((text) => parseDuration(text) !== null, 'a duration with its unit, such as 500ms or 3s');

const size = z
  .string()
  .refine((text) => parseSize(text) !== null, 'a size with its unit, such as 512MiB or 10GiB');

const hostPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, 'an address such as 192.168.1.10:7411');

// An NBD export is unauthenticated, so it must not be reachable from other machines.
const exportAddress = z
  .string()
  .regex(
    /^(unix:.+|(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\]):\d{1,5})$/,
    'unix:PATH, or a loopback address such as 127.0.0.1:10809',
  );

const node = z.strictObject({
  id: z.int().min(1).max(64).describe('Number of the node, 1..64; never reuse one.'),
  witness: z.boolean().default(false).describe('Votes, but holds no volume and no group.'),
  control: z
    .array(hostPort)
    .min(1)
    .max(8)
    .describe('UDP addresses, one per network, in the same order on every node.'),
  replication: hostPort.optional().describe('TCP address for replication; not for a witness.'),
  watchdog: z
    .string()
    .default('none')
    .describe('Watchdog device such as /dev/watchdog, or none (then: data exclusivity only).'),
  data: z.string().optional().describe('Folder for this node’s own state; default: its name.'),
});

const replica = z.strictObject({
  path: z.string().min(1).optional().describe('File or block device that holds this copy.'),
  paths: z
    .record(name, z.string().min(1))
    .optional()
    .describe('Of a volume with parts, in place of path: the file or block device of each part.'),
  meta: z.string().min(1).optional().describe('Separate metadata device or file.'),
  sideSize: size
    .optional()
    .describe('A side area: what a resync overwrites is kept there first, so that it can return.'),
  side: z
    .string()
    .min(1)
    .optional()
    .describe('Separate device or file of the side area; default: behind the metadata.'),
  mode: z
    .enum(['sync', 'async'])
    .default('sync')
    .describe('async: no write waits for this replica; it is an earlier image of the volume.'),
  spill: z
    .strictObject({
      folder: z
        .string()
        .min(1)
        .describe('Folder with room for lag.bytes, on each host that may lead.'),
    })
    .optional()
    .describe(
      'async only: what waits to be sent to it and is too much for memory goes into a file ' +
        'without a name in this folder.',
    ),
});

const lag = z.strictObject({
  bytes: size
    .default('64MiB')
    .describe('Most that an asynchronous replica lacks, 1MiB..1GiB; 64GiB where each has a spill.'),
  atLimit: z
    .enum(['copy', 'wait'])
    .default('copy')
    .describe('copy: what it lacks is copied later, from an image that it keeps; wait: writes do.'),
  pointEvery: duration
    .default('1s')
    .describe('How often an asynchronous replica becomes a later image, 10ms..1min.'),
});

const verify = z.strictObject({
  every: duration.describe(
    'From the end of one comparison to the beginning of the next, 1min..365d.',
  ),
  level: z
    .enum(['direct', 'digest', 'quick'])
    .default('digest')
    .describe('direct: all of it is sent; digest: digests are; quick: metadata only.'),
  rate: size.default('100MiB').describe('At most so much a second; 0B for no limit.'),
});

const resync = z.strictObject({
  skipEqual: z
    .enum(['auto', 'on', 'off'])
    .default('off')
    .describe(
      'Compare digests, and send what differs: always (a slow wire), never (slow disks), or ' +
        'while it spares something.',
    ),
});

const part = z.strictObject({
  name: name.describe('Of the part, and of its export.'),
  size: size.describe('Size that applications see, in whole MiB.'),
});

const volume = z.strictObject({
  uuid: z.string().regex(/^[0-9a-f]{32}$/, '32 lower-case hexadecimal digits'),
  size: size.optional().describe('Size that applications see.'),
  room: size
    .optional()
    .describe(
      'Size that it can be given while it is served: each replica has that much, all of it is ' +
        'mirrored. Absent for its size: then it can not grow.',
    ),
  parts: z
    .array(part)
    .min(2)
    .max(16)
    .optional()
    .describe(
      'In place of size: several disks with one order of writes, one set of copies in sync and ' +
        'one moment. Names, sizes and order are fixed once a replica exists.',
    ),
  logicalBlock: z.union([z.literal(512), z.literal(4096)]).default(512),
  activityLog: size
    .default('512MiB')
    .describe(
      'How much may be hot at once, up to 13GiB; after a crash at most this much is copied again.',
    ),
  diskTimeout: duration
    .default('10s')
    .describe('A disk that answers nothing for so long is given up, if the other copy is whole.'),
  mode: z
    .enum(['sync', 'semi-sync'])
    .default('sync')
    .describe('A write completes when the other copies have written it, or only received it.'),
  onDiskFailure: z
    .enum(['switch', 'proxy'])
    .default('switch')
    .describe('When the disk of the host that serves fails: move, or stay and use the other copy.'),
  reads: z
    .enum(['local', 'balanced'])
    .default('local')
    .describe('Who serves reads: the own disk, or whichever copy is likely to be quicker.'),
  checksums: z
    .boolean()
    .default(false)
    .describe('A checksum of every block finds what a disk spoils; fixed once a replica exists.'),
  splitBrain: z
    .enum(SPLIT_POLICIES)
    .default('manual')
    .describe(
      'Whose changes are given up when both copies went on apart; manual: a person decides.',
    ),
  verify: verify
    .optional()
    .describe('The replicas are compared by themselves; nothing is repaired.'),
  undo: z
    .enum(['required', 'best-effort'])
    .default('best-effort')
    .describe('When a side area is full: a resync waits, or goes on and there is no way back.'),
  resync: resync.prefault({}).describe('How one copy is filled from another.'),
  lag: lag.optional().describe('How far asynchronous replicas may be behind.'),
  replicas: z.record(name, replica),
  nbd: z.record(name, z.array(exportAddress).min(1).max(8)).default({}),
});

const application = z.strictObject({
  start: z.string().min(1).describe('Command that starts the application and keeps running.'),
  stop: z
    .string()
    .default('')
    .describe('Command that stops it and exits 0 once it has; default: SIGTERM, then SIGKILL.'),
  check: z
    .string()
    .default('')
    .describe('Command that exits 0 while it runs well, else not; default: alive.'),
  checkEvery: duration.default('3s'),
  startTimeout: duration.default('20s'),
  stopTimeout: duration.default('20s'),
});

const group = z.strictObject({
  volume: name,
  nodes: z.array(name).min(1).describe('Nodes in order of preference.'),
  application: application.optional(),
});

const timing = z.strictObject({
  heartbeat: duration.default('500ms'),
  suspect: duration.default('1500ms'),
  pet: duration.default('1s').describe('P: a node may pet this long after its renewal was sent.'),
  watchdog: duration.default('2s').describe('W: the watchdog resets this long after the last pet.'),
  watchdogDelay: duration.default('100ms'),
  ioDelay: duration.default('0us'),
  grant: duration.default('3200ms').describe('G: what a voter promises after a renewal.'),
  clockRatePpm: z.int().min(0).max(100_000).default(1000),
  election: duration.default('1s'),
});

/** The whole file. */
export const configSchema = z.strictObject({
  version: z.literal(1),
  cluster: name,
  key: z.string().default('understudy.key').describe('File with the cluster key, mode 600.'),
  nodes: z.record(name, node),
  volumes: z.record(name, volume).default({}),
  groups: z.record(name, group).default({}),
  timing: timing.prefault({}),
});

/** A file that passed the schema, defaults filled in. */
export type ConfigFile = z.output<typeof configSchema>;

/** The published JSON Schema (draft 2020-12), generated from {@link configSchema}. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
