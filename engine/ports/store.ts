/**
 * The durable store of a control actor (`persist` decision, `persisted` input).
 *
 * Suite: test/compliance/store.suite.ts.
 *
 * * One document, replaced as a whole. After a crash at any moment the store holds the document
 *   before or the one after, never a mixture.
 * * `persisted(n)` means that document n, or a later one, survives a loss of power.
 * * A store that finds no document says null: this voter is new (docs/decisions/0004). A store that
 *   finds one and cannot read it must not say null; the core does not start, and a person decides.
 */

/** Longest document in bytes of JSON; a bound against runaway logs, far above what is needed. */
export const DURABLE_BYTES_MAX: number = 16 * 1024 * 1024;
