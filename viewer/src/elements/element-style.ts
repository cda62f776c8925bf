/** What all elements look like. Colours are custom properties that the theme sets on the page. */
import { css } from 'lit';

export const elementStyle = css`
  :host {
    box-sizing: border-box;
    font: 13px/1.45 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Noto Sans CJK SC',
      'Microsoft YaHei', sans-serif;
    color: var(--text);
  }
  *, *::before, *::after { box-sizing: inherit; }
  button, select, input {
    font: inherit;
    color: inherit;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: 6px;
    height: 28px;
    padding: 0 10px;
  }
  button { cursor: pointer; }
  button:hover:not(:disabled) { border-color: var(--muted); }
  button:disabled { color: var(--faint); cursor: default; }
  button.primary {
    background: var(--primary);
    border-color: var(--primary);
    color: var(--on-primary);
    font-weight: 600;
  }
  button.primary:disabled {
    background: var(--raised);
    border-color: var(--line);
    color: var(--faint);
  }
  button.icon {
    width: 30px;
    padding: 0;
    display: inline-grid;
    place-items: center;
  }
  button.link {
    border: 0;
    background: none;
    padding: 0;
    height: auto;
    text-align: left;
    color: inherit;
  }
  button[aria-pressed='true'] { border-color: var(--focus); color: var(--focus); }
  :focus-visible { outline: 2px solid var(--focus); outline-offset: 1px; }
  h2 {
    margin: 0;
    font-size: 11px;
    font-weight: 600;
    letter-spacing: 0.06em;
    text-transform: uppercase;
    color: var(--muted);
  }
  .mono { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
  .muted { color: var(--muted); }
  .number { font-variant-numeric: tabular-nums; }
  svg { display: block; }
`;
