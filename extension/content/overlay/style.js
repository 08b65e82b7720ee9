/**
 * How marks look. They lie on pictures of any colour, hence each carries its own ground and a rim of
 * the opposite lightness. The page's own rules do not reach into the shadow root, and what they say of
 * its host is reset.
 */

export const MARK_STYLE = `
/* Important here beats important in the page. Without a box it takes no part in the layout. */
:host { all: initial !important; display: contents !important; color-scheme: light dark !important; }
.marks { position: absolute; top: 0; left: 0; width: 0; height: 0; }
.mark {
  position: absolute; top: 0; left: 0; display: flex; align-items: flex-start;
  box-sizing: border-box; padding: 6px; pointer-events: none; contain: layout;
  --ground: rgb(24 22 40 / 58%); --ink: #fff; --rim: rgb(255 255 255 / 62%);
}
.mark[data-state='captured'] { --ground: #3b49c8; --rim: rgb(255 255 255 / 85%); }
.mark[data-state='waiting'] { --ground: #e6e8fb; --ink: #2c38a6; --rim: #3b49c8; }
.mark[data-state='doubted'] {
  --ground: #fff3d6; --ink: #5a3b00; --rim: #8a5a00;
  outline: 3px dashed #ffb938; outline-offset: -3px;
}
.mark[data-state='rejected'] { --ground: #fde8e6; --ink: #9c1f18; --rim: #b3261e; }
.mark[data-state='excluded'], .mark[data-state='left-out'] {
  --ground: #fff; --ink: #3a3653; --rim: rgb(24 22 40 / 45%);
  background: rgb(250 249 253 / 66%);
}
.chip {
  display: flex; align-items: center; max-width: 100%; height: 24px; border-radius: 12px;
  background: var(--ground); color: var(--ink);
  box-shadow: 0 0 0 1px var(--rim), 0 1px 4px rgb(0 0 0 / 38%);
  font: 600 12px/24px system-ui, sans-serif; letter-spacing: 0.01em;
}
button {
  all: unset; flex: none; box-sizing: border-box; width: 24px; height: 24px; padding: 6px;
  border-radius: 12px; cursor: pointer; pointer-events: auto;
}
button:hover { background: rgb(128 128 160 / 30%); }
button:focus-visible { outline: 3px solid #fff; box-shadow: 0 0 0 6px #2c38a6; }
svg {
  display: block; width: 12px; height: 12px; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round;
}
.word {
  min-width: 0; padding-right: 9px; margin-left: -1px; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap;
}
.word:empty { display: none; }
.mark[data-state='excluded'] .word { text-decoration: line-through; }
.note {
  position: fixed; z-index: 2147483647; left: 16px; bottom: 16px; max-width: min(360px, calc(100vw - 32px));
  box-sizing: border-box; padding: 10px 14px; border-radius: 10px; overflow-wrap: anywhere;
  background: #fff; color: #1c1a2e; box-shadow: 0 0 0 1px #dcd8ea, 0 6px 24px rgb(0 0 0 / 28%);
  font: 13px/1.45 system-ui, sans-serif;
}
.note:empty { display: none; }
@media (prefers-color-scheme: dark) {
  .mark[data-state='captured'] { --ground: #2b2d7d; --ink: #e9ebff; --rim: #8e9bff; }
  .mark[data-state='waiting'] { --ground: #1e1c2c; --ink: #aab4ff; --rim: #8e9bff; }
  .mark[data-state='doubted'] { --ground: #3a2c0c; --ink: #ffd98a; --rim: #ffb938; }
  .mark[data-state='rejected'] { --ground: #431f1e; --ink: #ffb0a8; --rim: #ff9a90; }
  .mark[data-state='excluded'], .mark[data-state='left-out'] {
    --ground: #262438; --ink: #eceaf4; --rim: rgb(236 234 244 / 55%);
    background: rgb(21 20 31 / 66%);
  }
  .note { background: #1e1c2c; color: #eceaf4; box-shadow: 0 0 0 1px #37344f; }
}
@media (prefers-reduced-motion: no-preference) {
  .chip { transition: background-color 120ms, color 120ms; }
  .mark { transition: background-color 120ms; }
}
@media (forced-colors: active) {
  .chip { border: 1px solid ButtonText; background: ButtonFace; color: ButtonText; }
  button:focus-visible { outline-color: Highlight; }
}
@media print { .mark, .note { display: none; } }
`;

/** Drawn in a square of 12. */
export const SIGNS = {
  new: 'M6 1.5v9M1.5 6h9',
  doubted: 'M3.4 4A2.6 2.6 0 1 1 7.2 6.3C6.4 6.7 6 7.1 6 7.9M6 10.9h.01',
  'left-out': 'M2 2l8 8M10 2l-8 8',
  captured: 'M1.5 6.5l3 3 6-7',
  waiting: 'M1.5 6h.01M6 6h.01M10.5 6h.01',
  rejected: 'M6 1.2v6M6 10.6h.01',
  excluded: 'M2 2l8 8M10 2l-8 8',
};
