/** The page of the API's documentation: shows `/openapi.json`, with nothing loaded from elsewhere. */
import { h, replace } from './lib/dom.js';

/**
 * @typedef {object} Schema The parts of JSON Schema that are shown.
 * @property {string} [$ref]
 * @property {string} [type]
 * @property {string} [format]
 * @property {string} [description]
 * @property {unknown} [default]
 * @property {unknown[]} [enum]
 * @property {unknown} [const]
 * @property {Schema} [items]
 * @property {Schema[]} [anyOf]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {Schema | boolean} [additionalProperties]
 *
 * @typedef {object} Operation
 * @property {string[]} [tags]
 * @property {string} [summary]
 * @property {string} [description]
 * @property {{name: string, in: string, required?: boolean, description?: string, schema: Schema}[]} [parameters]
 * @property {{content: Record<string, {schema: Schema}>}} [requestBody]
 * @property {Record<string, {description: string, content?: Record<string, {schema?: Schema}>}>} [responses]
 * @property {unknown[]} [security]
 *
 * @typedef {object} OpenApi
 * @property {{title: string, version: string, description?: string}} info
 * @property {Record<string, Record<string, Operation>>} paths
 * @property {{schemas?: Record<string, Schema>}} [components]
 */

const main = /** @type {HTMLElement} */ (document.getElementById('main'));

/** Load the description and show it. */
async function start() {
  const response = await fetch('/openapi.json', { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  /** @type {unknown} */
  const body = await response.json();
  const api = /** @type {OpenApi} */ (body);
  /** @type {Map<string, HTMLElement[]>} */
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? 'other';
      const entries = groups.get(tag) ?? [];
      entries.push(showOperation(method, path, operation));
      groups.set(tag, entries);
    }
  }
  const schemas = Object.entries(api.components?.schemas ?? {});
  replace(
    main,
    h('h1', {}, `${api.info.title} ${api.info.version}`),
    h('p', {}, api.info.description ?? ''),
    h(
      'p',
      { class: 'muted' },
      'Send ',
      h('code', {}, 'Authorization: Bearer <token>'),
      '. The token lies in ',
      h('code', {}, 'data/token'),
      '; ',
      h('code', {}, 'bowerbird token create --name NAME'),
      ' makes another. Errors are RFC 9457 problem documents.',
    ),
    ...[...groups].flatMap(([tag, entries]) => [h('h2', { id: tag }, tag), ...entries]),
    h('h2', { id: 'schemas' }, 'schemas'),
    ...schemas.map(([name, schema]) =>
      h(
        'details',
        { class: 'card', id: `schema-${name}` },
        h('summary', {}, h('code', {}, name)),
        h('p', { class: 'muted' }, schema.description ?? ''),
        showProperties(schema),
      ),
    ),
  );
  main.setAttribute('aria-busy', 'false');
  openTarget();
}

/** Open the schema that the address names: links point at closed ones. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.scrollIntoView();
}

/**
 * Show one operation.
 * @param {string} method Lower case.
 * @param {string} path With its parameters in braces.
 * @param {Operation} operation What it takes and gives.
 * @returns {HTMLElement} Closed until clicked.
 */
function showOperation(method, path, operation) {
  const parameters = operation.parameters ?? [];
  const bodies = Object.entries(operation.requestBody?.content ?? {});
  const responses = Object.entries(operation.responses ?? {});
  return h(
    'details',
    { class: 'card' },
    h(
      'summary',
      {},
      h('span', { class: `method method-${method}` }, method.toUpperCase()),
      ' ',
      h('code', {}, path),
      ' ',
      h('span', { class: 'muted' }, operation.summary ?? ''),
    ),
    h('p', {}, operation.description ?? ''),
    parameters.length > 0 && h('h3', {}, 'Parameters'),
    parameters.length > 0 && showTable(parameters.map(describeParameter)),
    bodies.length > 0 && h('h3', {}, 'Body'),
    ...bodies.map(([type, { schema }]) =>
      h('div', {}, h('p', {}, h('code', {}, type), ' ', showType(schema)), showProperties(schema)),
    ),
    h('h3', {}, 'Answers'),
    showTable(
      responses.map(([status, { description, content }]) => [
        h('code', {}, status),
        showType(Object.values(content ?? {})[0]?.schema ?? {}),
        description,
      ]),
    ),
  );
}

/**
 * Describe a parameter as a row.
 * @param {NonNullable<Operation['parameters']>[number]} parameter Of an operation.
 * @returns {(Node | string)[]} Its cells.
 */
function describeParameter({ name, in: place, required, description, schema }) {
  const note = [required ? 'required' : '', description ?? schema.description ?? ''];
  return [
    h('code', {}, name),
    h('span', {}, `${place}, `, showType(schema)),
    note.filter(Boolean).join('; '),
  ];
}

/**
 * Show the members of an object, if it has any.
 * @param {Schema} schema Of an object, or of anything else.
 * @returns {HTMLElement | null} A table.
 */
function showProperties(schema) {
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const required = schema.required?.includes(name) ? 'required' : '';
    const initial =
      property.default === undefined ? '' : `default ${JSON.stringify(property.default)}`;
    return [
      h('code', {}, name),
      showType(property),
      [required, initial, property.description ?? ''].filter(Boolean).join('; '),
    ];
  });
  return rows.length > 0 ? showTable(rows) : null;
}

/**
 * Name a type, with links to the schemas that it uses.
 * @param {Schema} schema Of anything.
 * @returns {HTMLElement} Its name.
 */
function showType(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    const link = h('a', { href: `#schema-${name}`, onclick: () => setTimeout(openTarget) }, name);
    return h('span', {}, link);
  }
  if (schema.anyOf !== undefined) {
    const parts = schema.anyOf.flatMap((part, index) => [index > 0 && ' or ', showType(part)]);
    return h('span', {}, ...parts);
  }
  if (schema.items !== undefined) return h('span', {}, 'list of ', showType(schema.items));
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  if (values.length > 0) return h('span', {}, values.map((v) => JSON.stringify(v)).join(' | '));
  const format = schema.format === undefined ? '' : ` (${schema.format})`;
  return h('span', {}, `${schema.type ?? 'anything'}${format}`);
}

/**
 * Lay rows out.
 * @param {(Node | string)[][]} rows Cells.
 * @returns {HTMLElement} A table that scrolls by itself where it is too wide.
 */
function showTable(rows) {
  const body = rows.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', {}, cell))));
  return h('div', { class: 'scroll' }, h('table', {}, h('tbody', {}, ...body)));
}

window.addEventListener('hashchange', openTarget);
start().catch((/** @type {unknown} */ error) => {
  const message = error instanceof Error ? error.message : String(error);
  replace(main, h('p', { class: 'card', role: 'alert' }, `The API could not be shown: ${message}`));
});
