/** The shortcuts as they are now: only the browser's own page can change them. */
import { ext } from '../lib/browser.js';
import { text } from '../lib/text.js';
import { byId, make } from '../ui/dom.js';

/** The command that opens the popup has no description of its own in browsers. */
const OPEN = '_execute_action';
/** Browsers follow no link to it: a tab has to be opened there. */
const CHROMIUM_PAGE = 'chrome://extensions/shortcuts';

/** List them, with the way to change them. */
export async function showShortcuts() {
  const commands = await ext.commands.getAll();
  const rows = commands.flatMap(({ name, description, shortcut }) => [
    make('dt', {}, name === OPEN ? text('shortcutOpen') : (description ?? '')),
    make('dd', {}, shortcut ? make('kbd', {}, shortcut) : text('shortcutNone')),
  ]);
  byId('shortcuts', HTMLElement).replaceChildren(...rows);
  byId('shortcuts-missing', HTMLElement).hidden = commands.every(({ shortcut }) => shortcut);
  byId('change-shortcuts', HTMLButtonElement).addEventListener('click', () => void openPage());
}

/** Open the browser's page of shortcuts: Firefox, since 137, by a call of its own. */
async function openPage() {
  const { commands } = /** @type {{commands: {openShortcutSettings?: () => Promise<void>}}} */ (
    /** @type {unknown} */ (ext)
  );
  if (commands.openShortcutSettings !== undefined) await commands.openShortcutSettings();
  else await ext.tabs.create({ url: CHROMIUM_PAGE });
}
