/** All events that the filter lets through, as text: only the rows in sight are in the page. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { axisTime, count } from '../base/format.ts';
import { ICONS } from '../base/icons.ts';
import { SEVERITY_VIOLATION } from '../model/kinds.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { kindIcon } from './glyph-icon.ts';
import { Watch } from './watch.ts';
import { nodeName, sentence, words } from './words.ts';

const ROW_HEIGHT = 25;
/** Rows drawn beyond what is in sight, so that scrolling does not show gaps. */
const SPARE = 6;

export class EventList extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: flex; flex-direction: column; min-height: 0; background: var(--panel); }
      header { display: flex; align-items: center; gap: 12px; padding: 6px 12px;
        border-bottom: 1px solid var(--line); }
      .search { position: relative; flex: 0 1 320px; }
      .search input { width: 100%; padding-left: 28px; }
      .search svg { position: absolute; left: 8px; top: 6px; color: var(--muted); }
      details { position: relative; }
      summary { cursor: pointer; list-style: none; border: 1px solid var(--line); height: 28px;
        line-height: 26px; border-radius: 6px; padding: 0 10px; background: var(--raised); }
      .kinds { position: absolute; bottom: 34px; right: 0; z-index: 5; width: 420px;
        max-height: 320px; overflow: auto; padding: 8px; background: var(--raised);
        border: 1px solid var(--line); border-radius: 8px;
        box-shadow: 0 8px 24px rgb(0 0 0 / 0.4); }
      .kinds label { display: grid; grid-template-columns: 20px 18px 1fr auto; gap: 6px;
        align-items: center; padding: 2px 4px; }
      .kinds input { height: 14px; margin: 0; }
      .kinds code { overflow: hidden; text-overflow: ellipsis; }
      .scroller { flex: 1; overflow: auto; position: relative; outline-offset: -2px; }
      .spacer { position: relative; }
      .row { position: absolute; left: 0; right: 0; height: 25px; display: grid; gap: 10px;
        grid-template-columns: 96px 20px 64px minmax(0, 1fr) 220px; align-items: center;
        padding: 0 12px; cursor: pointer; border-left: 3px solid transparent; }
      .row > span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
      @media (max-width: 900px) {
        .row { grid-template-columns: 84px 18px 40px minmax(0, 1fr) 0; gap: 6px; }
      }
      .row:hover { background: var(--raised); }
      .row.past { color: var(--muted); }
      .row.selected { background: var(--raised); border-left-color: var(--focus);
        color: var(--text); }
      .row.violation { border-left-color: var(--bad); }
      .time { text-align: right; }
      .code { font-size: 11px; color: var(--muted); text-align: right; }
      canvas.glyph { width: 16px; height: 16px; display: block; }
      .none { padding: 20px; color: var(--muted); }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);
  /** What the list was last scrolled to show. */
  #shown = -1;
  #top = 0;
  #height = 200;
  #resizing = new ResizeObserver(() => this.#scrolled());

  /** Puts the caret into the search field. */
  search(): void {
    this.renderRoot.querySelector<HTMLInputElement>('.search input')!.select();
  }

  override firstUpdated(): void {
    this.#resizing.observe(this.#scroller);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizing.disconnect();
  }

  get #scroller(): HTMLElement {
    return this.renderRoot.querySelector<HTMLElement>('.scroller')!;
  }

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    const { match, run } = session;
    const total = match.all.length;
    const shown = match.active
      ? words(session, 'page.events-filtered', { shown: count(total), all: count(run.length) })
      : count(run.length);
    return html`
      <header>
        <h2>${words(session, 'page.events')}</h2>
        <span class="muted number" id="count">${shown}</span>
        <label class="search">
          ${ICONS.search}
          <input type="search" .value=${match.text} aria-label=${words(session, 'page.search')}
            placeholder=${words(session, 'page.search')}
            @input=${(event: Event) =>
              session.setFilterText((event.target as HTMLInputElement).value)}>
        </label>
        <details>
          <summary>${words(session, 'page.kinds')}</summary>
          <div class="kinds">${this.#kinds()}</div>
        </details>
      </header>
      <div class="scroller" tabindex="0" @scroll=${this.#scrolled} role="list"
        aria-label=${words(session, 'page.events')}>
        <div class="spacer">${this.#rows(total)}</div>
        ${total === 0 ? html`<p class="none">${words(session, 'page.no-events')}</p>` : ''}
      </div>`;
  }

  #rows(total: number): TemplateResult[] {
    const first = Math.max(0, Math.floor(this.#top / ROW_HEIGHT) - SPARE);
    const end = Math.min(total, Math.ceil((this.#top + this.#height) / ROW_HEIGHT) + SPARE);
    const rows: TemplateResult[] = [];
    for (let at = first; at < end; at++) rows.push(this.#row(this.session.match.ref(at), at));
    return rows;
  }

  #row(ref: number, at: number): TemplateResult {
    const { session } = this;
    const { run } = session;
    const kind = run.kind(ref);
    const severity = run.severity(ref);
    const classes = [
      'row',
      ref === session.selected ? 'selected' : '',
      severity >= SEVERITY_VIOLATION ? 'violation' : '',
      run.time(ref) > session.cursor ? 'past' : '',
    ].join(' ');
    return html`<div class=${classes} role="listitem" data-at=${at} data-ref=${ref}
      @click=${() => session.select(ref)}>
      <span class="time number mono">${axisTime(run.time(ref), 100)}</span>
      ${kindIcon(session.theme, kind, severity)}
      <span>${nodeName(session, run.at(ref).node)}</span>
      <span class="words">${sentence(session, ref)}</span>
      <span class="code mono">${kind}</span>
    </div>`;
  }

  protected override updated(): void {
    const { session } = this;
    const { match } = session;
    const spacer = this.renderRoot.querySelector<HTMLElement>('.spacer')!;
    spacer.style.height = `${match.all.length * ROW_HEIGHT}px`;
    for (const row of spacer.querySelectorAll<HTMLElement>('.row')) {
      row.style.top = `${Number(row.dataset['at']) * ROW_HEIGHT}px`;
    }
    this.#follow();
  }

  /** Keeps the selected event, or the moment of the cursor, in sight when it changes. */
  #follow(): void {
    const { session } = this;
    const { match } = session;
    const at =
      session.selected >= 0
        ? match.position(session.selected)
        : Math.max(0, match.all.lastAt(session.cursor));
    if (at < 0 || at === this.#shown || match.all.length === 0) return;
    this.#shown = at;
    const top = at * ROW_HEIGHT;
    const inside = top >= this.#top && top + ROW_HEIGHT <= this.#top + this.#height;
    if (!inside) this.#scroller.scrollTop = top - this.#height / 2;
  }

  #scrolled(): void {
    this.#top = this.#scroller.scrollTop;
    this.#height = this.#scroller.clientHeight;
    this.requestUpdate();
  }

  #kinds(): TemplateResult[] {
    const { session } = this;
    const { run, match } = session;
    return [...run.kinds.keys()]
      .sort((one, other) => (run.kinds[one]! < run.kinds[other]! ? -1 : 1))
      .map((code) => {
        const kind = run.kinds[code]!;
        return html`<label>
          <input type="checkbox" .checked=${!match.isHidden(kind)}
            @change=${() => session.toggleKind(kind)}>
          ${kindIcon(session.theme, kind, 0)}
          <code class="mono">${kind}</code>
          <span class="muted number">${count(run.kindCounts[code] ?? 0)}</span>
        </label>`;
      });
  }
}

customElements.define('event-list', EventList);

declare global {
  interface HTMLElementTagNameMap {
    'event-list': EventList;
  }
}
