/** What became of the image that a resync is overwriting, in words. */
import type { WayBack } from '../engine/data/messages.ts';
import { term } from '../viewer/src/catalogue/catalogue.ts';
import { language } from './language.ts';

const KIB_PER_BLOCK = 4;

/** Part of a sentence. */
export function wayBackText({ state, reason, generation, blocks, ...room }: WayBack): string {
  const why = reason === '' ? '' : `: ${term(language(), reason)}`;
  const percent = Math.floor((100 * room.usedBytes) / room.roomBytes);
  const kept = `${blocks * KIB_PER_BLOCK} KiB overwritten and kept, ${percent} % of the side area`;
  const image = `the image of generation ${generation}`;
  switch (state) {
    case 'kept':
      return `${image} can be put back (${kept})`;
    case 'returning':
      return `${image} is being put back (${kept})`;
    case 'held':
      return `the resync waits${why}; ${image} can be put back (${kept})`;
    default:
      return `there is no way back${why === '' ? '' : why}`;
  }
}
