// ODK's own engine behind one pipe: a request a line in, an answer a line out, both JSON.
//
//   {"do": "load", "xform": "...", "now": 1785500000000, "language": "en"}   a new instance of a form
//   {"do": "set", "path": "/data/person[2]/name", "value": "Li"}             give a node a value
//   {"do": "count", "path": "/data/person", "value": 3}                      that many repeat instances
//   {"do": "try", "path": ..., "value": ...}   as set, but the value is taken back after looking
//
// The answer is {"nodes": [...]}, everything that the engine knows of every node, or {"error": "..."}.

import { createInterface } from 'node:readline';
import { JSDOM } from 'jsdom';

// The engine wants a browser's document. Its build takes Node for CommonJS: give it __dirname.
const { window } = new JSDOM('<!doctype html>', { url: 'http://localhost/' });
for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis)) globalThis[name] = window[name];
}
globalThis.window = globalThis;
globalThis.__dirname = '/';
globalThis.File = window.File;
for (const level of ['log', 'info', 'warn', 'error', 'debug']) {
  console[level] = (...words) => process.stderr.write(`${words.join(' ')}\n`);
}
const mended = process.argv.includes('--mended');
const { createInstance } = await import(mended ? './mended.mjs' : '@getodk/xforms-engine');

let now = 0;
Date.now = () => now; // the only clock that the engine reads

let root = null;

async function load({ xform, now: moment, language }) {
  now = moment;
  root = null;
  const made = await createInstance(xform, {
    form: {
      fetchFormAttachment: async () => new Response('', { status: 404 }),
      missingResourceBehavior: 'BLANK',
    },
    instance: { instanceAttachments: { fileNameFactory: () => 'file' } },
  });
  root = made.root;
  const wanted = root.languages.find(
    (one) => one.language === language || one.language?.endsWith(`(${language})`),
  );
  if (wanted !== undefined && !wanted.isSyntheticDefault) root.setLanguage(wanted);
}

function* all(node) {
  yield node;
  for (const child of node.currentState.children ?? []) yield* all(child);
}

function find(path) {
  for (const node of all(root)) if (node.currentState.reference === path) return node;
  throw new Error(`no node ${path}`);
}

function put(path, value) {
  const node = find(path);
  switch (node.nodeType) {
    case 'select':
      if (node.selectType === 'select1') return node.selectValue(value || null);
      return node.selectValues(value.split(' ').filter(Boolean));
    case 'rank':
      return node.setValues(value.split(' ').filter(Boolean));
    case 'trigger':
      return node.setValue(value === 'OK');
    case 'upload':
      return node.setValue(value ? new window.File(['x'], value) : null);
    case 'model-value': // nothing but an engine writes there; ours fills some from outside
      return node.valueState[1](value);
    default:
      return node.setValue(value);
  }
}

function recount(path, value) {
  const range = find(path);
  const { length } = range.currentState.children;
  if (value > length) range.addInstances(length - 1, value - length);
  if (value < length) range.removeInstances(value, length - value);
}

const read = (get) => {
  try {
    return get();
  } catch (error) {
    return `! ${error.message}`;
  }
};

function told(node) {
  const state = node.currentState;
  const { constraint, required } = node.validationState;
  return {
    path: state.reference,
    type: node.nodeType,
    valueType: node.valueType ?? null,
    relevant: read(() => state.relevant),
    required: read(() => state.required),
    readonly: read(() => state.readonly),
    value: read(() => (node.getXPathValue && !state.children ? node.getXPathValue() : null)),
    count: node.nodeType.startsWith('repeat-range') ? state.children.length : null,
    open: node.nodeType === 'repeat-range:uncontrolled',
    valid: read(() => constraint?.valid ?? true),
    constraintMessage: read(() => constraint?.message?.asString ?? null),
    requiredMessage: read(() => required?.message?.asString ?? null),
    label: read(() => state.label?.asString ?? null),
    hint: read(() => state.hint?.asString ?? null),
    choices: read(
      () => state.valueOptions?.map((item) => [item.value, item.label.asString]) ?? null,
    ),
  };
}

const look = () => ({ nodes: [...all(root)].slice(1).map(told) });

async function serve(request) {
  switch (request.do) {
    case 'load':
      await load(request);
      return look();
    case 'set':
      put(request.path, request.value);
      return look();
    case 'try': {
      const before = find(request.path).getXPathValue();
      put(request.path, request.value);
      const seen = told(find(request.path));
      put(request.path, before);
      return { nodes: [seen] };
    }
    case 'count':
      recount(request.path, request.value);
      return look();
    default:
      throw new Error(`what is ${request.do}?`);
  }
}

const causes = (error) =>
  [error.message, ...(error.errors ?? []).map((one) => one.message), error.cause?.message]
    .filter(Boolean)
    .join(' | ');

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await serve(JSON.parse(line));
  } catch (error) {
    answer = { error: causes(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
