/** A belief of ours proved false: the core stops, for going on could corrupt both replicas. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws {@link InvariantError} unless `holds`. Never compiled out. `belief` is a constant. */
export function invariant(holds: boolean, belief: string): asserts holds {
  if (!holds) throw new InvariantError(belief);
}
