/**
 * All prose of the program: codes with parameters become sentences, in Chinese and in English. Free
 * of the page, because the command line's reports say the same things.
 *
 * A sentence names its parameters in braces, with a form where the bare value would not do:
 * `{node:node}` a node's name, `{peer:peer}` the same or all others, `{members:nodes}` a list of
 * nodes, `{role:term}` a code of the engine in words, `{t:span}` microseconds,
 * `{n:bytes}`, `{n:count}` and `{generation:short}` numbers.
 */
import { bytes, count, duration, shortNumber } from '../base/format.ts';
import { canariesEn } from './canaries-en.ts';
import { canariesZh } from './canaries-zh.ts';
import { configEn } from './config-en.ts';
import { configZh } from './config-zh.ts';
import { en } from './en.ts';
import { eventsEn } from './events-en.ts';
import { eventsZh } from './events-zh.ts';
import { pageEn } from './page-en.ts';
import { pageZh } from './page-zh.ts';
import { reportEn } from './report-en.ts';
import { reportZh } from './report-zh.ts';
import { zh } from './zh.ts';

export type Language = 'en' | 'zh';

export interface Catalogue {
  readonly [code: string]: string;
}

export const CATALOGUES: { readonly [language in Language]: Catalogue } = {
  en: { ...en, ...eventsEn, ...configEn, ...reportEn, ...pageEn, ...canariesEn },
  zh: { ...zh, ...eventsZh, ...configZh, ...reportZh, ...pageZh, ...canariesZh },
};

export interface SayOptions {
  /** A node's name by its number; without it the number itself is said. */
  readonly node?: (id: number) => string;
}

type Value = string | number | boolean;

/** The sentence for a code. One that nobody has translated yet is shown as it is, never hidden. */
export function say(
  language: Language,
  code: string,
  parameters: { readonly [name: string]: Value } = {},
  options: SayOptions = {},
): string {
  const catalogue = CATALOGUES[language];
  if (!Object.hasOwn(catalogue, code)) return unknown(code, parameters);
  return catalogue[code]!.replace(PLACEHOLDER, (_, name: string, form?: string) =>
    Object.hasOwn(parameters, name)
      ? shaped(language, parameters[name]!, form ?? '', options)
      : `‹${name}›`,
  );
}

/** The words for a code of the engine, such as a role or a reason; the code itself for none. */
export function term(language: Language, value: Value): string {
  const code = `term.${value}`;
  const catalogue = CATALOGUES[language];
  return Object.hasOwn(catalogue, code) ? catalogue[code]! : String(value);
}

/** `{name}` or `{name:form}`. */
export const PLACEHOLDER: RegExp = /\{([A-Za-z][\w-]*)(?::(\w+))?\}/g;

/** Names of the parameters that a sentence uses. */
export function placeholders(sentence: string): Set<string> {
  return new Set([...sentence.matchAll(PLACEHOLDER)].map((match) => match[1]!));
}

function shaped(language: Language, value: Value, form: string, options: SayOptions): string {
  const node = options.node ?? String;
  switch (form) {
    case 'node':
      return value === 0 ? term(language, 'nobody') : node(Number(value));
    case 'peer':
      return value === 0 ? term(language, 'others') : node(Number(value));
    case 'nodes':
      return list(String(value).split(/[\s,]+/), language, (one) => node(Number(one)));
    case 'term':
      return term(language, value);
    case 'terms':
      return list(String(value).split(/[\s,]+/), language, (one) => term(language, one));
    case 'span':
      return duration(Number(value));
    case 'short':
      return shortNumber(Number(value));
    case 'bytes':
      return bytes(Number(value));
    case 'count':
      return count(Number(value));
    default:
      return String(value);
  }
}

function list(parts: string[], language: Language, word: (part: string) => string): string {
  const words = parts.filter((part) => part !== '').map(word);
  return words.length === 0 ? term(language, 'none') : words.join(language === 'zh' ? '、' : ', ');
}

function unknown(code: string, parameters: { readonly [name: string]: Value }): string {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const bare = code.replace(/^event\./, '');
  return pairs.length === 0 ? bare : `${bare} (${pairs.join(', ')})`;
}
