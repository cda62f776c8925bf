/** The language that the command line speaks. */
import type { Language } from '../viewer/src/catalogue/catalogue.ts';

/** Chinese where the environment asks for it (LC_ALL, LC_MESSAGES, LANG), else English. */
export function language(environment: NodeJS.ProcessEnv = process.env): Language {
  const { LC_ALL, LC_MESSAGES, LANG } = environment;
  return (LC_ALL || LC_MESSAGES || LANG || '').startsWith('zh') ? 'zh' : 'en';
}
