/** Numbers as options give them. */
import { InputError } from './failure.ts';

/** The whole number from `least` to `most` that `option` was given. */
export function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const remedy = `give a whole number from ${least} to ${most}`;
  throw new InputError(`${option} ${text} is no such number`, remedy);
}
