/**
 * Who serves a group, as one value: node numbers in order, separated by commas. More than one is
 * what the product exists to prevent, so it has to be possible to show it.
 */
export const NOBODY = '0';

export function servers(value: string | number): number[] {
  if (value === '' || value === NOBODY) return [];
  return String(value).split(',').map(Number);
}

export function withServer(value: string | number, node: number): string {
  const all = new Set([...servers(value), node]);
  return [...all].sort((one, other) => one - other).join(',');
}

export function withoutServer(value: string | number, node: number): string {
  const left = servers(value).filter((one) => one !== node);
  return left.length === 0 ? NOBODY : left.join(',');
}
