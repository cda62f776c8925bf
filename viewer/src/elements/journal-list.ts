/** What a timeline of several journals was made of, what is missing, and what was estimated. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { TimelineMerge } from '../../../engine/timeline/event.ts';
import { duration } from '../base/format.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { words } from './words.ts';

export class JournalList extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: block; }
      details { padding: 10px 14px; border-bottom: 1px solid var(--line); }
      summary { cursor: pointer; display: flex; gap: 8px; align-items: baseline; }
      summary::before { content: '▸'; color: var(--muted); }
      details[open] > summary::before { content: '▾'; }
      .bad { color: var(--warn-text); }
      ul { margin: 8px 0 0; padding: 0; list-style: none; font-size: 12px; }
      li { display: flex; justify-content: space-between; gap: 12px; padding: 1px 0; }
      li span:first-child { overflow-wrap: anywhere; }
      li span:last-child { flex: none; color: var(--muted); }
      p { margin: 6px 0 0; font-size: 12px; color: var(--muted); }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult | typeof nothing {
    void this.#watch;
    const { session } = this;
    const merge = session.run.heading?.merge;
    if (merge === undefined) return nothing;
    const { journals, missing } = merge;
    const notes = notesOf(session, merge);
    return html`<details ?open=${missing.length > 0 || notes.some(({ bad }) => bad)}>
      <summary>
        <h2>${words(session, 'page.journals', { n: journals.length })}</h2>
        ${
          missing.length > 0
            ? html`<span class="bad" id="missing">
              ${words(session, 'page.journals-missing', { n: missing.length })}
            </span>`
            : ''
        }
      </summary>
      <ul>
        ${missing.map(
          ({ node, name }) => html`<li class="bad">
            <span class="mono">${name}</span>
            <span class="bad">${words(session, 'page.journal-missing', { node })}</span>
          </li>`,
        )}
        ${journals.map(
          ({ name, events, damaged }) => html`<li>
            <span class="mono">${name}</span>
            <span class="number">
              ${words(session, 'page.journal-events', { n: events })}
              ${damaged > 0 ? words(session, 'page.journal-damaged', { n: damaged }) : ''}
            </span>
          </li>`,
        )}
      </ul>
      ${notes.map(({ text, bad }) => html`<p class=${bad ? 'bad' : ''}>${text}</p>`)}
    </details>`;
  }
}

interface Note {
  readonly text: string;
  readonly bad: boolean;
}

/** How far the order and the times can be trusted, in words. */
function notesOf(session: Session, merge: TimelineMerge): readonly Note[] {
  const notes: Note[] = [{ text: words(session, 'page.merge-order'), bad: false }];
  const add = (code: string, parameters: { readonly [name: string]: string | number }): void => {
    notes.push({ text: words(session, code, parameters), bad: true });
  };
  for (const { node, shift, least, most, sound } of merge.clocks) {
    if (shift !== 0) {
      const bound = (value: number | null) => (value === null ? '…' : duration(value));
      const range = { least: bound(least), most: bound(most) };
      add('page.clock-moved', { node, shift: duration(shift), ...range });
    }
    if (!sound) add('page.clock-drifted', { node });
  }
  if (merge.clocks.every(({ shift, sound }) => shift === 0 && sound)) {
    notes.push({ text: words(session, 'page.clocks-kept'), bad: false });
  }
  if (merge.renamed > 0) add('page.merge-renamed', { n: merge.renamed });
  if (merge.disordered > 0) add('page.merge-disordered', { n: merge.disordered });
  return notes;
}

customElements.define('journal-list', JournalList);

declare global {
  interface HTMLElementTagNameMap {
    'journal-list': JournalList;
  }
}
