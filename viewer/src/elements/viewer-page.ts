/** The page: what is open, the picture, the details, and the hands of the clock. */
import { html, LitElement, type TemplateResult } from 'lit';
import { bytes, duration } from '../base/format.ts';
import { ICONS, LOGO } from '../base/icons.ts';
import { openFiles } from '../load/feed.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import type { EventList } from './event-list.ts';
import { pageStyle } from './page-style.ts';
import { Watch } from './watch.ts';
import { words } from './words.ts';
import './event-details.ts';
import './event-list.ts';
import './journal-list.ts';
import './key-help.ts';
import './mini-map.ts';
import './state-table.ts';
import './timeline-plot.ts';
import './transport-bar.ts';
import './violation-list.ts';

export class ViewerPage extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [elementStyle, pageStyle];

  declare session: Session;
  #watch = new Watch(this);
  #searching = (): void => {
    this.renderRoot.querySelector<EventList>('event-list')?.search();
  };

  override firstUpdated(): void {
    this.session.addEventListener('search', this.#searching);
  }

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    return html`
      <header>
        <div class="brand">${LOGO}<strong>Understudy</strong></div>
        <div class="title">${this.#title()}</div>
        <transport-bar .session=${session}></transport-bar>
        <div class="settings">
          <label class="button" title=${words(session, 'page.open')}>
            ${ICONS.open}
            <input type="file" multiple accept=".jsonl,.json,.log,.txt" @change=${this.#picked}
              aria-label=${words(session, 'page.open')}>
          </label>
          <button id="language" @click=${this.#language}
            aria-label=${words(session, 'page.language')}>
            ${session.language === 'en' ? '中文' : 'English'}
          </button>
          <button class="icon" id="theme" @click=${this.#theme}
            title=${words(session, 'page.key-theme')}
            aria-label=${words(session, 'page.key-theme')}>
            ${session.theme === 'dark' ? ICONS.light : ICONS.dark}
          </button>
          <button class="icon" id="help" title=${words(session, 'page.help')}
            aria-label=${words(session, 'page.help')}
            @click=${() => session.setHelp(true)}>?</button>
        </div>
      </header>
      ${this.#damage()}
      ${session.run.length === 0 ? this.#empty() : this.#body()}
      <key-help .session=${session}></key-help>`;
  }

  #body(): TemplateResult {
    const { session } = this;
    return html`
      <mini-map .session=${session}></mini-map>
      <main>
        <timeline-plot .session=${session}></timeline-plot>
        <aside>
          <journal-list .session=${session}></journal-list>
          <violation-list .session=${session}></violation-list>
          <event-details .session=${session}></event-details>
          <state-table .session=${session}></state-table>
        </aside>
        <event-list .session=${session}></event-list>
      </main>`;
  }

  #title(): TemplateResult | '' {
    const { session } = this;
    const { run, source } = session;
    if (run.length === 0) return '';
    const replay = run.heading?.replay;
    return html`
      <strong>${run.names.cluster || sourceName(session)}</strong>
      <span class="muted">${duration(run.end - run.start)}</span>
      ${
        replay === undefined
          ? ''
          : html`<span class="muted" title=${replay.command}>
            ${words(session, 'page.seed', { seed: replay.seed })}
          </span>`
      }
      ${this.#judgement()}
      ${
        source.kind === 'live'
          ? html`<span class="badge ${source.state === 'open' ? 'ok' : 'warn'}" id="live">
            ${words(session, `page.live-${source.state}`)}
          </span>`
          : ''
      }
      ${source.kind === 'loading' ? html`<span class="muted">${this.#progress()}</span>` : ''}`;
  }

  /** Only a simulated world has oracles: of a real run nobody may say that it broke no law. */
  #judgement(): TemplateResult | '' {
    const { session } = this;
    const { violations, heading } = session.run;
    if (violations.length > 0) {
      return html`<span class="badge bad">
        ${words(session, 'page.violations', { n: violations.length })}
      </span>`;
    }
    if (heading?.replay === undefined) return '';
    return html`<span class="badge ok">${words(session, 'page.no-violations')}</span>`;
  }

  #progress(): string {
    const { source } = this.session;
    if (source.kind !== 'loading') return '';
    return words(this.session, 'page.loading', {
      name: source.name,
      done: bytes(source.done),
      of: source.of > 0 ? bytes(source.of) : '?',
    });
  }

  #damage(): TemplateResult | '' {
    const { session } = this;
    const { faults, faultCount, torn } = session.damage;
    if (faultCount === 0 && !torn) return '';
    const first = faults[0];
    return html`<div class="damage" role="status">
      ${
        first === undefined
          ? ''
          : words(session, 'page.damage', {
              n: faultCount,
              line: first.line,
              reason: words(session, `page.fault-${first.code}`),
            })
      }
      ${torn ? words(session, 'page.torn') : ''}
    </div>`;
  }

  #empty(): TemplateResult {
    const { session } = this;
    const { source } = session;
    return html`<div class="empty">
      <div class="drop">
        <div class="big">${LOGO}</div>
        ${source.kind === 'loading' ? html`<p>${this.#progress()}</p>` : ''}
        ${source.kind === 'live' ? html`<p>${words(session, `page.live-${source.state}`)}</p>` : ''}
        ${
          source.kind === 'failed'
            ? html`<p class="failed" role="alert">
              ${words(session, 'page.failed', { name: source.name, reason: source.reason })}
            </p>`
            : ''
        }
        ${
          source.kind === 'none' || source.kind === 'failed' || source.kind === 'file'
            ? html`<h1>${words(session, 'page.welcome')}</h1>
              <p class="muted">${words(session, 'page.welcome-how')}</p>
              <pre class="mono">understudy rehearse --timeline run.jsonl
understudy view run.jsonl
understudy view demo/understudy.yaml</pre>
              <label class="button primary">
                ${words(session, 'page.open')}
                <input type="file" multiple accept=".jsonl,.json,.log,.txt" @change=${this.#picked}>
              </label>`
            : ''
        }
      </div>
    </div>`;
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    void openFiles(this.session, [...(input.files ?? [])]);
    input.value = '';
  }

  #language(): void {
    this.session.setLanguage(this.session.language === 'en' ? 'zh' : 'en');
  }

  #theme(): void {
    this.session.setTheme(this.session.theme === 'dark' ? 'light' : 'dark');
  }
}

function sourceName({ source }: Session): string {
  return source.kind === 'none' ? '' : source.name;
}

customElements.define('viewer-page', ViewerPage);

declare global {
  interface HTMLElementTagNameMap {
    'viewer-page': ViewerPage;
  }
}
