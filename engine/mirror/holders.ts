/** Who holds a replica, as a superblock says it: a bit for each node from 1 to 64. */
import type { NodeId } from '../core/units.ts';

export type HolderWords = readonly [low: number, high: number];

const WORD_BITS = 32;

export function holderWords(nodes: readonly NodeId[]): HolderWords {
  const words: [number, number] = [0, 0];
  for (const node of nodes) {
    const word = node > WORD_BITS ? 1 : 0;
    words[word] = (words[word] | (1 << ((node - 1) & (WORD_BITS - 1)))) >>> 0;
  }
  return words;
}

/** The nodes, in rising order. */
export function holderNodes(words: HolderWords): readonly NodeId[] {
  const nodes: NodeId[] = [];
  for (const [index, word] of words.entries()) {
    for (let bit = 0; bit < WORD_BITS; bit += 1) {
      if (((word >>> bit) & 1) === 1) nodes.push(index * WORD_BITS + bit + 1);
    }
  }
  return nodes;
}
