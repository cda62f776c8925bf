/** The commented configuration that `understudy init` writes. */

/** What differs from one installation to the next. */
export interface TemplateOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** 32 hexadecimal digits. */
  readonly volumeUuid: string;
  /** Volume size with its unit. */
  readonly size: string;
  /** What it can be given online, with its unit; absent or '' for no more than its size. */
  readonly room?: string;
  /** First UDP/TCP port of a run of free ones; nine are used. */
  readonly port: number;
  /** Whether the volume keeps checksums. */
  readonly checksums?: boolean;
  /** When a write completes. */
  readonly mode?: 'sync' | 'semi-sync';
}

/** Two nodes and a witness on this one machine, ready to run and easy to spread over three. */
export function configTemplate(options: TemplateOptions): string {
  const { cluster, volumeUuid, size, port, checksums = false, mode = 'sync' } = options;
  const { room = '' } = options;
  return `# Understudy configuration: two hosts and a witness.
# All three run on this machine until you put other addresses here. Check any change with
#   understudy rehearse THIS-FILE
# before it carries production. Relative paths start at this file's folder.
version: 1
cluster: ${cluster}

# Authenticates everything the nodes say to each other. Copy it to every node; keep it secret.
key: understudy.key

nodes:
  # id: 1..64, never reused. control: one UDP address per network, in the same order everywhere;
  # give at least two networks, so that one broken switch is not a failover.
  a:
    id: 1
    control: [127.0.0.1:${port}, 127.0.0.2:${port}]
    replication: 127.0.0.1:${port + 1}
    # /dev/watchdog makes "at most one node runs the service" hold even when this host stalls.
    # With none, the product promises exclusivity for data only, and status says so.
    watchdog: none
  b:
    id: 2
    control: [127.0.0.1:${port + 2}, 127.0.0.2:${port + 2}]
    replication: 127.0.0.1:${port + 3}
    watchdog: none
  # The third vote. It holds no data; any small machine will do, but not a or b.
  w:
    id: 3
    witness: true
    control: [127.0.0.1:${port + 4}, 127.0.0.2:${port + 4}]

volumes:
  data:
    uuid: ${volumeUuid}
    size: ${size}
    # So much it can be given online, with config apply: each replica has that much from the start,
    # a file as a hole. It takes 4 KiB of metadata for each 63 MiB. Without it the size is for good.
${room === '' ? '    # room: 10GiB' : `    room: ${room}`}
    # Several disks that must never part, such as a database's pages and its log, are one volume in
    # parts: one order of writes, one decision who leads, and an export for each. In place of size:
    #   parts: [{ name: pages, size: 10GiB }, { name: log, size: 1GiB }]
    # and of path: in each replica  paths: { pages: /dev/vg0/pages, log: /dev/vg0/log }
    # 512 or 4096; fixed once the volume exists.
    logicalBlock: ${checksums ? 4096 : 512}
    # How much may be in motion at once, up to 13GiB. After a crash at most this much is copied
    # again; writes all over more than this wait for a page of metadata each. A replica of which
    # more than 896MiB may be is refused by versions before this one, until it is lowered again.
    activityLog: 512MiB
    # A disk that answers nothing for so long is given up, if the other copy is whole.
    diskTimeout: 10s
    # When a write completes: 'sync', when every copy in step has written it; 'semi-sync', when the
    # others have received it in memory, which is quicker where their disks are slow. A flush waits
    # for every disk either way. With semi-sync, should this host be lost and the other one's
    # core die in the same instant, only what was flushed is sure.
    mode: ${mode}
    # When the disk of the host that serves fails: 'switch', the service moves to the other host;
    # 'proxy', it stays where it is and works on the other host's copy, over the network, until you
    # switch it over at a time that suits, and replace the disk.
    onDiskFailure: switch
    # Who serves reads: 'local', or 'balanced': whichever copy is likely to be quicker.
    reads: local
    # A checksum of every block finds what a disk spoils without a word, and heals it from the
    # other copy. Wants logicalBlock: 4096; fixed once the volume exists.
    checksums: ${checksums}
    # What to do when both copies went on apart, as after one was put back from a snapshot: whose
    # changes are given up? manual: a person decides, with understudy resolve. Or, by itself:
    #   discard-younger-primary, discard-older-primary: of the host that became primary only after
    #     the two parted, or of the one that was it before
    #   discard-unchanged, discard-fewer-changes: of the copy with no changes, or with fewer, where
    #     that is known for certain
    #   discard-local, discard-remote: of the host that is primary now, or of the other one
    splitBrain: manual
    # The copies can be compared by themselves; what differs is told, not changed.
    # verify: { every: 7d, level: digest, rate: 50MiB }
    # A copy that is filled again may have most of it already. 'auto' compares digests while that
    # spares something, 'on' always (a slow wire), 'off' never.
    # resync: { skipEqual: off }
    # One copy per host: a file, a partition or a disk. Metadata sits behind the data.
    # No write waits for a copy with mode: async, so that it may be far away: it is an earlier state
    # of the volume, whole, and takes over only by understudy promote. It keeps its last state in a
    # side area while it takes the next:
    #   far: { path: /dev/vg0/data, mode: async, sideSize: 1GiB }
    # What waits to be sent there is in memory, 64MiB unless lag says otherwise, and 1GiB at most;
    # beyond that in a file, in a folder of whichever host leads: spill: { folder: /var/spill }
    replicas:
      a: { path: a/data.img }
      b: { path: b/data.img }
    # Where applications reach the volume, on the host that is primary. Unauthenticated: loopback
    # and Unix sockets only.
    nbd:
      a: ['unix:a/data.nbd', '127.0.0.1:${port + 5}']
      b: ['unix:b/data.nbd', '127.0.0.1:${port + 6}']

groups:
  # What moves together: a volume and, if you like, the application that uses it.
  service:
    volume: data
    nodes: [a, b]
    # application:
    #   start: exec my-server --data /srv/data
    #   check: my-server --ping
    #   checkEvery: 3s

# Safe as they are. The rule behind them is checked whenever this file is read:
#   pet/(1-r) + watchdog*(1+r) + watchdogDelay + ioDelay <= grant/(1+r)
timing:
  heartbeat: 500ms
  suspect: 1500ms
  pet: 1s
  watchdog: 2s
  grant: 3200ms
`;
}
