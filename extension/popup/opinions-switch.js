/** The popup's switch for asking the model about the images that are marked. */
import { send } from '../lib/send.js';
import { text } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';

/**
 * Show the switch.
 *
 * @param {boolean} isOn How it stands.
 */
export function makeOpinionsSwitch(isOn) {
  const box = make('input', {
    type: 'checkbox',
    role: 'switch',
    'aria-describedby': 'opinions-note',
    'data-testid': 'opinions-switch',
  });
  box.checked = isOn;
  box.addEventListener('change', () => {
    const wanted = box.checked;
    // What is stored is of a newer extension: it stays as it is.
    send('switch-opinions', { is_on: wanted }).catch(() => (box.checked = !wanted));
  });
  byId('opinions-switch', HTMLElement).replaceChildren(
    make('label', { class: 'switch' }, box, make('span', {}, text('opinionsSwitch'))),
    make('p', { id: 'opinions-note', class: 'hint soft' }, text('opinionsNote')),
  );
}

/** @param {boolean} isMarked Whether there are marks: without them nobody is asked. */
export function showOpinionsSwitch(isMarked) {
  byId('opinions-switch', HTMLElement).hidden = !isMarked;
}
