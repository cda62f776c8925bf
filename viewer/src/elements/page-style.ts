/** Where the parts of the page stand. */
import { css } from 'lit';

export const pageStyle = css`
  :host { display: flex; flex-direction: column; height: 100vh; min-width: 360px;
    background: var(--ground); }
  :host([dropping]) { outline: 3px solid var(--focus); outline-offset: -3px; }
  header { display: flex; align-items: center; gap: 16px; padding: 8px 14px;
    background: var(--panel); border-bottom: 1px solid var(--line); }
  .brand { display: flex; align-items: center; gap: 8px; font-size: 14px; }
  .brand .front, .big .front { fill: var(--primary); }
  .brand .behind, .big .behind { fill: var(--secondary); }
  .title { display: flex; align-items: baseline; gap: 12px; flex: 1; min-width: 0;
    white-space: nowrap; overflow: hidden; }
  .title > * { overflow: hidden; text-overflow: ellipsis; }
  .badge { border-radius: 10px; padding: 1px 9px; font-size: 11px; font-weight: 600;
    border: 1px solid currentColor; flex: none; }
  .badge.ok { color: var(--good-text); }
  .badge.warn { color: var(--warn-text); }
  .badge.bad { background: var(--bad); border-color: var(--bad); color: var(--on-bad); }
  .settings { display: flex; gap: 6px; align-items: center; }
  label.button { display: inline-grid; place-items: center; height: 28px; padding: 0 7px;
    border: 1px solid var(--line); border-radius: 6px; background: var(--raised);
    cursor: pointer; position: relative; }
  label.button.primary { background: var(--primary); color: var(--on-primary); font-weight: 600;
    padding: 0 16px; height: 34px; border-color: var(--primary); }
  label.button input { position: absolute; inset: 0; opacity: 0; width: 100%; cursor: pointer; }
  label.button:focus-within { outline: 2px solid var(--focus); outline-offset: 1px; }
  .damage { padding: 5px 14px; background: var(--raised); color: var(--warn-text);
    border-bottom: 1px solid var(--line); font-size: 12px; }
  mini-map { border-bottom: 1px solid var(--line); flex: none; }
  main { flex: 1; min-height: 0; display: grid;
    grid-template: minmax(0, 2.1fr) minmax(150px, 1fr) / minmax(0, 1fr) 372px; }
  timeline-plot { grid-area: 1 / 1; border-bottom: 1px solid var(--line); }
  event-list { grid-area: 2 / 1; }
  aside { grid-area: 1 / 2 / 3 / 3; overflow: auto; background: var(--panel);
    border-left: 1px solid var(--line); }
  state-table { border-top: 1px solid var(--line); }
  .empty { flex: 1; display: grid; place-items: center; }
  .drop { text-align: center; padding: 40px 64px; border: 2px dashed var(--line);
    border-radius: 16px; max-width: 640px; }
  .big svg { width: 64px; height: 64px; margin: 0 auto; }
  h1 { font-size: 20px; margin: 14px 0 4px; }
  .drop pre { text-align: left; background: var(--panel); border: 1px solid var(--line);
    border-radius: 8px; padding: 10px 14px; font-size: 12px; }
  .failed { color: var(--bad-text); font-weight: 600; }
  @media (max-width: 1180px) {
    header { flex-wrap: wrap; row-gap: 6px; }
    .title { order: 3; flex-basis: 100%; }
    .settings { margin-left: auto; }
  }
  /* One below the other: the picture keeps its height, and the page scrolls. */
  @media (max-width: 900px) {
    :host { height: auto; min-height: 100vh; }
    main { grid-template: 62vh 44vh auto / minmax(0, 1fr); }
    aside { grid-area: 3 / 1; border-left: 0; border-top: 1px solid var(--line); }
    transport-bar { flex-wrap: wrap; }
    .drop { padding: 24px; margin: 12px; }
  }
`;
