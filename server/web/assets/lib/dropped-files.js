/**
 * What was chosen or dropped, as files with their paths: folders are walked through.
 */

/** @typedef {import('./tar.js').PathFile} PathFile */

/** As many entries as the server takes from one archive. */
export const MAX_FILES = 250_000;

/**
 * @param {FileList | null} list Of an input; one for folders gives each file's path in it.
 * @returns {PathFile[]} The same.
 */
export function chosenFiles(list) {
  return [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/**
 * @param {FileSystemFileEntry} entry A file.
 * @returns {Promise<File>} Itself.
 */
const fileOf = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

/**
 * @param {FileSystemDirectoryReader} reader Of a folder.
 * @returns {Promise<FileSystemEntry[]>} The next of its entries, a hundred or so; none at its end.
 */
const nextEntries = (reader) =>
  new Promise((resolve, reject) => reader.readEntries(resolve, reject));

/**
 * @param {FileSystemEntry} entry A file or a folder.
 * @param {PathFile[]} found Added to.
 * @throws {Error} There are more than {@link MAX_FILES}.
 */
async function walk(entry, found) {
  if (found.length >= MAX_FILES) {
    throw new Error('This folder holds more than 250,000 files. Import its parts one by one.');
  }
  if (entry.isFile) {
    const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
    found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  let entries = await nextEntries(reader);
  while (entries.length > 0) {
    for (const each of entries) await walk(each, found);
    entries = await nextEntries(reader);
  }
}

/**
 * @param {DataTransfer | null} transfer Of a drop; it is emptied by the browser as soon as its event is over.
 * @returns {Promise<PathFile[]>} The files in it, and those in its folders.
 * @throws {Error} There are too many, or one cannot be read.
 */
export async function droppedFiles(transfer) {
  // What is not of the disk, as a picture of another page, is a file without an entry.
  const items = [...(transfer?.items ?? [])].map((item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  /** @type {PathFile[]} */
  const found = [];
  for (const { entry, file } of items) {
    if (entry) await walk(entry, found);
    else if (file) found.push({ path: file.name, file });
  }
  return found;
}
