/** What operations of a simulated disk are, and where in its row what is known of one stands. */

export const DiskOp = { Read: 1, Write: 2, Flush: 3, MetaRead: 4, MetaWrite: 5 } as const;

/** Words of one row. */
export const FIELDS = 10;
export const Field = {
  kind: 0,
  slot: 1,
  sector: 2,
  count: 3,
  fua: 4,
  token: 5,
  /** Life of the process that asked. */
  guard: 6,
  mark: 7,
  status: 8,
  /** 1 when it died with its process: it never lands. */
  gone: 9,
} as const;
