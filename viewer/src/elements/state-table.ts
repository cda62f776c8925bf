/** The state of everything at the cursor. Each value is a link to the event that made it so. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { moment } from '../base/format.ts';
import { paintOf } from '../base/paint.ts';
import { type Cell, type StateRow, stateAt } from '../model/state.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { stateWords, words } from './words.ts';

export class StateTable extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: block; padding: 12px 14px; }
      .head { display: flex; justify-content: space-between; }
      h3 { margin: 10px 0 3px; font-size: 12px; font-weight: 600; }
      dl { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1px;
        margin: 0; background: var(--line); border: 1px solid var(--line); border-radius: 6px;
        overflow: hidden; }
      dl.group { grid-template-columns: repeat(4, minmax(0, 1fr)); }
      .cell { background: var(--raised); padding: 3px 8px 4px; min-width: 0; }
      dt { font-size: 11px; color: var(--muted); }
      dd { margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
      button.link { max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
      .mark { display: inline-block; width: 9px; height: 9px; border-radius: 2px;
        margin-right: 6px; }
      .mark.primary { background: var(--primary); }
      .mark.secondary { background: var(--secondary); }
      .mark.resync { background: var(--resync); }
      .mark.bad { background: var(--bad); }
      .mark.fence { background: var(--fence); }
      .mark.ok { background: var(--ok); }
      .mark.unknown { background: var(--unknown); }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    return html`<div class="head">
        <h2>${words(session, 'page.state')}</h2>
        <span class="mono number">${moment(session.cursor)}</span>
      </div>
      ${stateAt(session.run, session.cursor).map((row) => this.#row(row))}`;
  }

  #row(row: StateRow): TemplateResult {
    return html`<section data-row="${row.kind}|${row.node}|${row.object}">
      <h3>${this.#title(row)}</h3>
      <dl class=${row.kind}>${row.cells.map((cell) => this.#cell(cell))}</dl>
    </section>`;
  }

  #title({ kind, node, object }: StateRow): string {
    const { session } = this;
    const { names } = session.run;
    if (kind === 'group') return words(session, 'page.lane-owner', { group: object });
    const name = names.node(node);
    if (kind === 'volume') {
      return words(session, 'page.lane-volume', { node: name, volume: object });
    }
    return words(session, names.isWitness(node) ? 'page.lane-witness' : 'page.lane-node', {
      node: name,
    });
  }

  #cell({ attribute, value, source }: Cell): TemplateResult {
    const { session } = this;
    const { colour } = paintOf(attribute, value);
    const text = stateWords(session, attribute, value);
    const mark = colour === 'none' ? '' : html`<span class="mark ${colour}"></span>`;
    return html`<div class="cell" data-attribute=${attribute}>
      <dt>${words(session, `page.attribute-${attribute}`)}</dt>
      <dd title=${text}>
        ${
          source < 0
            ? text
            : html`<button class="link" @click=${() => session.select(source)}>
              ${mark}${text}
            </button>`
        }
      </dd>
    </div>`;
  }
}

customElements.define('state-table', StateTable);

declare global {
  interface HTMLElementTagNameMap {
    'state-table': StateTable;
  }
}
