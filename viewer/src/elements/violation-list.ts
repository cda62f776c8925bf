/** The laws that were broken, one line each. Absent when none was. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { moment } from '../base/format.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { sentence, words } from './words.ts';

/** A broken build can break a law at every event: the list stays readable. */
const SHOWN_MAX = 50;

export class ViolationList extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: block; }
      section { padding: 12px 14px; border-bottom: 1px solid var(--line);
        border-left: 4px solid var(--bad); }
      h2 { color: var(--bad); }
      ul { margin: 6px 0 0; padding: 0; list-style: none; }
      button { width: 100%; padding: 3px 0 !important; }
      small { display: block; color: var(--muted); }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult | typeof nothing {
    void this.#watch;
    const { session } = this;
    const { violations } = session.run;
    if (violations.length === 0) return nothing;
    const rest = violations.length - SHOWN_MAX;
    return html`<section>
      <h2>${words(session, 'page.violations', { n: violations.length })}</h2>
      <ul>
        ${violations.slice(0, SHOWN_MAX).map(
          (ref) => html`<li>
            <button class="link" data-ref=${ref} @click=${() => session.select(ref)}>
              ${sentence(session, ref)}
              <small class="number">${moment(session.run.time(ref))}</small>
            </button>
          </li>`,
        )}
      </ul>
      ${rest > 0 ? html`<p class="muted">${words(session, 'page.more', { n: rest })}</p>` : ''}
    </section>`;
  }
}

customElements.define('violation-list', ViolationList);

declare global {
  interface HTMLElementTagNameMap {
    'violation-list': ViolationList;
  }
}
