/** One event in full: what it says, why it happened, what it read, what came of it. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { duration, moment } from '../base/format.ts';
import { faultsAt, lastWords, walkBack } from '../model/why.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { kindIcon } from './glyph-icon.ts';
import { Watch } from './watch.ts';
import { nodeName, sentence, words } from './words.ts';

export class EventDetails extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: block; padding: 12px 14px; }
      .empty { color: var(--muted); margin: 6px 0 0; }
      .head { display: grid; grid-template-columns: 20px 1fr; gap: 8px; margin: 8px 0 6px; }
      .say { font-size: 15px; font-weight: 600; line-height: 1.35; }
      .facts { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0 0 10px;
        font-size: 12px; }
      dt { color: var(--muted); }
      dd { margin: 0; overflow-wrap: anywhere; }
      h3 { margin: 14px 0 4px; font-size: 12px; font-weight: 600; color: var(--muted); }
      ol, ul { margin: 0; padding: 0; list-style: none; }
      .walk li { position: relative; padding: 0 0 2px 22px; }
      .walk li::before { content: ''; position: absolute; left: 7px; top: 14px; bottom: -12px;
        width: 2px; background: var(--line); }
      .walk li:last-child::before { display: none; }
      .walk canvas { position: absolute; left: 0; top: 7px; background: var(--panel); }
      .step { display: block; width: 100%; padding: 3px 6px !important; border-radius: 5px;
        border: 1px solid transparent !important; }
      .fact { padding-left: 16px !important; }
      .step:hover { background: var(--raised); }
      .step[aria-current='true'] { background: var(--raised);
        border-color: var(--focus) !important; }
      .step small { display: block; color: var(--muted); font-size: 11px; }
      canvas.glyph { width: 16px; height: 16px; }
      pre { margin: 6px 0 0; padding: 8px; overflow: auto; background: var(--ground);
        border: 1px solid var(--line); border-radius: 6px; font-size: 11px; }
      summary { cursor: pointer; color: var(--muted); margin-top: 12px; font-size: 12px; }
      .note { color: var(--muted); font-size: 12px; padding-left: 28px; }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    const { selected } = session;
    return html`<h2>${words(session, 'page.event')}</h2>
      ${
        selected < 0
          ? html`<p class="empty">${words(session, 'page.no-event')}</p>`
          : html`${this.#facts(selected)}${this.#walk()}${this.#reads(selected)}
            ${this.#effects(selected)}
            <details>
              <summary>${words(session, 'page.raw')}</summary>
              <pre class="mono">${JSON.stringify(session.run.at(selected), null, 2)}</pre>
            </details>`
      }`;
  }

  #facts(ref: number): TemplateResult {
    const { session } = this;
    const { run } = session;
    const event = run.at(ref);
    const { origin } = run.axis;
    const wall = new Date(origin + run.time(ref) / 1000);
    const facts: [string, string][] = [
      [words(session, 'page.time'), moment(run.time(ref))],
      ...(origin > 0
        ? [[words(session, 'page.wall'), wall.toISOString().replace('T', ' ')] as [string, string]]
        : []),
      [words(session, 'page.node'), nodeName(session, event.node)],
      [words(session, 'page.kind'), event.kind],
      ['id', event.id],
      ...Object.entries(event.d).map(([name, value]): [string, string] => [name, String(value)]),
    ];
    return html`<div class="head" id="event">
        ${kindIcon(session.theme, event.kind, run.severity(ref))}
        <div class="say">${sentence(session, ref)}</div>
      </div>
      <dl class="facts">
        ${facts.map(([name, value]) => html`<dt>${name}</dt><dd class="mono">${value}</dd>`)}
      </dl>`;
  }

  #walk(): TemplateResult {
    const { session } = this;
    const walk = walkBack(session.run, session.walkFrom);
    return html`<h3>${words(session, 'page.why')}</h3>
      <ol class="walk" id="walk">
        ${walk.steps.map((ref, at) => this.#step(ref, walk.steps[at - 1], true))}
      </ol>
      ${
        walk.missing !== ''
          ? html`<p class="note">${words(session, 'page.cause-missing', { id: walk.missing })}</p>`
          : ''
      }
      ${this.#world(walk.steps.at(-1)!)}${this.#lastWords(walk.steps.at(-1)!)}
      ${walk.cut ? html`<p class="note">${words(session, 'page.walk-cut')}</p>` : ''}`;
  }

  /** What a rehearsal knows and no engine can know: the faults behind the first cause. */
  #world(root: number): TemplateResult | '' {
    const { session } = this;
    const faults = faultsAt(session.run, session.run.time(root)).filter((ref) => ref !== root);
    if (faults.length === 0) return '';
    return html`<h3>${words(session, 'page.world-then')}</h3>
      <ul class="walk" id="world">
        ${faults.map((ref) => this.#step(ref, root, true))}
      </ul>`;
  }

  /** What the journal of a node that fell silent holds: the first cause on a real cluster. */
  #lastWords(root: number): TemplateResult | '' {
    const { session } = this;
    const found = lastWords(session.run, root);
    if (found === null) return '';
    const { node, last, next, told } = found;
    const since = (ref: number) => duration(session.run.time(ref) - session.run.time(last));
    return html`<h3>${words(session, 'page.peer-then', { node })}</h3>
      <ul class="walk" id="last-words">
        ${last < 0 ? '' : this.#step(last, root, true)}
        ${told.map((ref) => this.#step(ref, root, true))}
      </ul>
      <p class="note">
        ${
          last < 0
            ? words(session, 'page.peer-none', { node })
            : next < 0
              ? words(session, 'page.peer-end')
              : words(session, 'page.peer-silent', { span: since(next) })
        }
      </p>`;
  }

  /** One event as a link; `effect` is the one that it led to. */
  #step(ref: number, effect: number | undefined, keep: boolean): TemplateResult {
    const { session } = this;
    const { run } = session;
    const { node, reads } = run.at(ref);
    const before = effect === undefined ? '' : distance(session, run.time(effect) - run.time(ref));
    const facts = keep ? (reads ?? []).map((id) => run.find(id)).filter((read) => read >= 0) : [];
    return html`<li>
      ${kindIcon(session.theme, run.kind(ref), run.severity(ref))}
      <button class="link step" aria-current=${ref === session.selected} data-ref=${ref}
        @click=${() => session.select(ref, keep)}>
        ${sentence(session, ref)}
        <small class="number">
          ${moment(run.time(ref))} · ${nodeName(session, node)}
          ${before === '' ? '' : html`· ${before}`}
        </small>
      </button>
      ${facts.map(
        (read) => html`<button class="link step fact" aria-current=${read === session.selected}
          data-read=${read} @click=${() => session.select(read, true)}>
          <small>${words(session, 'page.read')} ${nodeName(session, run.at(read).node)}:
            ${sentence(session, read)}</small>
        </button>`,
      )}
    </li>`;
  }

  #reads(ref: number): TemplateResult | '' {
    const { session } = this;
    const { reads } = session.run.at(ref);
    if (reads === undefined) return '';
    return html`<h3>${words(session, 'page.reads')}</h3>
      <ul class="walk" id="reads">
        ${reads.map((id) => {
          const found = session.run.find(id);
          return found >= 0
            ? this.#step(found, undefined, false)
            : html`<li class="note">${words(session, 'page.cause-missing', { id })}</li>`;
        })}
      </ul>`;
  }

  #effects(ref: number): TemplateResult | '' {
    const { session } = this;
    const effects = session.run.effects(ref);
    if (effects.length === 0) return '';
    return html`<h3>${words(session, 'page.effects')}</h3>
      <ul class="walk" id="effects">
        ${effects.map((effect) => this.#step(effect, undefined, false))}
      </ul>`;
  }
}

/** A monitor may notice a death after the peers missed the dead. */
function distance(session: Session, before: number): string {
  const code = before < 0 ? 'page.after' : 'page.before';
  return words(session, code, { span: duration(Math.abs(before)) });
}

customElements.define('event-details', EventDetails);

declare global {
  interface HTMLElementTagNameMap {
    'event-details': EventDetails;
  }
}
