/**
 * Tells code from prose in TypeScript without a compiler: the native compiler has no interface for
 * programs, and the house rules only ask which words stand outside comments and strings.
 */

/**
 * The text with every comment, string content and regular expression blanked out. Length and line
 * breaks stay, so that an offset means the same in both; quotes stay, so that strings can be found.
 */
export function codeOf(text: string): string {
  return new Scanner(text).run();
}

/** A module named in an import, an export or an `import()`, and where. */
export type Specifier = { readonly name: string; readonly offset: number };

/** Every module that a file names, types included. */
export function specifiersOf(text: string): Specifier[] {
  const code = codeOf(text);
  const found: Specifier[] = [];
  for (const match of code.matchAll(/\b(?:from|import)\s*\(?\s*(['"`])/g)) {
    const offset = match.index + match[0].length;
    const quote = match[1] as string;
    found.push({ name: text.slice(offset, code.indexOf(quote, offset)), offset });
  }
  return found;
}

/** Words after which a `/` begins a regular expression, though they look like a value. */
const beforeExpression = /(?:^|[^\w$.])(?:return|case|typeof|in|of|do|else|void|delete|throw|new)$/;

class Scanner {
  readonly #text: string;
  readonly #out: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): string {
    this.#code(undefined);
    return this.#out.join('');
  }

  /** Copies code up to the brace that closes a template's `${`, or to the end. */
  #code(closing: '}' | undefined): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (this.#text.startsWith('//', this.#at)) this.#blank(this.#endOfLine());
      else if (this.#text.startsWith('/*', this.#at)) this.#blank(this.#endOfComment());
      else if (char === "'" || char === '"') this.#string(char);
      else if (char === '`') this.#template();
      else if (char === '/' && this.#beginsExpression()) this.#expression();
      else {
        if (char === '{') depth += 1;
        if (char === '}') {
          if (depth === 0 && closing !== undefined) return;
          depth -= 1;
        }
        this.#keep();
      }
    }
  }

  #keep(): void {
    this.#out.push(this.#text.charAt(this.#at));
    this.#at += 1;
  }

  #blank(until: number): void {
    this.#out.push(this.#text.slice(this.#at, until).replace(/[^\n]/g, ' '));
    this.#at = until;
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end < 0 ? this.#text.length : end;
  }

  #endOfComment(): number {
    const end = this.#text.indexOf('*/', this.#at + 2);
    return end < 0 ? this.#text.length : end + 2;
  }

  #string(quote: string): void {
    this.#keep();
    let end = this.#at;
    while (end < this.#text.length && this.#text.charAt(end) !== quote) {
      if (this.#text.charAt(end) === '\n') break;
      end += this.#text.charAt(end) === '\\' ? 2 : 1;
    }
    this.#blank(Math.min(end, this.#text.length));
    if (this.#at < this.#text.length) this.#keep();
  }

  #template(): void {
    this.#keep();
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === '`') {
        this.#keep();
        return;
      }
      if (this.#text.startsWith('${', this.#at)) {
        this.#keep();
        this.#keep();
        this.#code('}');
        if (this.#at < this.#text.length) this.#keep();
      } else this.#blank(Math.min(this.#at + (char === '\\' ? 2 : 1), this.#text.length));
    }
  }

  /** A `/` divides after a value; after anything else it begins a regular expression. */
  #beginsExpression(): boolean {
    const before = this.#out.slice(-200).join('').trimEnd();
    if (before === '') return true;
    return !/[\w$)\]}'"`]$/.test(before) || beforeExpression.test(before);
  }

  #expression(): void {
    let inClass = false;
    let end = this.#at + 1;
    for (; end < this.#text.length; end += 1) {
      const char = this.#text.charAt(end);
      if (char === '\n') break;
      if (char === '\\') end += 1;
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
      else if (char === '/' && !inClass) break;
    }
    this.#blank(Math.min(end + 1, this.#text.length));
  }
}
