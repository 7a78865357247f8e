/**
 * The debug panel: what a page says to the kit, and what became of it.
 *
 * Works on any site, as a module or a plain script. It lives in a shadow root with an adopted style
 * sheet and builds everything from elements and text, so a strict Content Security Policy and Trusted
 * Types let it through. All it knows comes from `eS('on', '*', …)` and the web id's cookie.
 */
(() => {
  // Loaded twice, or asked for again after it was closed: a module runs once per page, so the guard restarts it.
  const GUARD = Symbol.for('esputnik-kit.panel');
  if (window[GUARD]) {
    window[GUARD]();
    return;
  }
  if (typeof window.eS !== 'function') return;

  /** More rows than anybody reads; past it the page itself would suffer. */
  const MAX_ROWS = 300;
  /** Events whose rows fell off and of which late news still count, but bring no empty row back. */
  const MAX_FORGOTTEN = 3000;
  /** Where the visitor of the page keeps the panel folded. Written only when the fold button is pressed. */
  const FOLDED = 'esputnik-kit.panel';
  const LIFE = ['queued', 'sent', 'accepted', 'duplicate', 'delivered', 'refused'];
  const COUNTED = ['delivered', 'duplicate', 'refused'];

  const STYLE = `
    :host { all: initial; position: fixed; inset: auto 12px 12px auto; z-index: 2147483000; color-scheme: dark; }
    * { box-sizing: border-box; margin: 0; padding: 0; font: inherit; letter-spacing: normal; }
    .panel, .tab { background: #16211c; color: #e9efe9; font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    .panel { display: flex; flex-direction: column; width: min(460px, calc(100vw - 24px)); height: min(640px, 72vh);
      border: 1px solid #3a4a42; border-radius: 12px; box-shadow: 0 12px 48px rgb(0 0 0 / 40%); overflow: hidden; }
    [hidden] { display: none !important; }
    button { color: inherit; background: none; border: 0; cursor: pointer; }
    :focus-visible { outline: 2px solid #f0b765; outline-offset: 1px; }
    .tab { position: fixed; right: 0; top: 45%; display: flex; gap: 6px; align-items: center; min-height: 44px; padding: 0 12px;
      border: 1px solid #3a4a42; border-right: 0; border-radius: 10px 0 0 10px; box-shadow: 0 4px 18px rgb(0 0 0 / 30%); }
    header { padding: 10px 12px; border-bottom: 1px solid #3a4a42; }
    .title { display: flex; align-items: center; gap: 4px; }
    h2 { flex: 1; font-size: 14px; font-weight: 600; }
    .tool { min-height: 30px; padding: 0 9px; border-radius: 7px; background: #26352e; }
    .tool:hover { background: #33463d; }
    .facts { display: grid; grid-template-columns: auto 1fr; gap: 1px 10px; margin: 8px 0; font-size: 12px; }
    dt { color: #a3b3a9; } dd { overflow-wrap: anywhere; }
    .mono { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 11.5px; }
    .counters span + span::before { content: " · "; color: #a3b3a9; }
    input { width: 100%; min-height: 32px; padding: 0 10px; border: 1px solid #52645a; border-radius: 7px; background: #0f1713; color: inherit; }
    input::placeholder { color: #a3b3a9; opacity: 1; }
    .says { min-height: 0; font-size: 12px; color: #f0b765; } .says:not(:empty) { margin-top: 6px; }
    ol { list-style: none; }
    .rows { flex: 1; overflow-y: auto; overscroll-behavior: contain; }
    .row { border-bottom: 1px solid #2c3a33; border-left: 4px solid #52645a; }
    .row.is-sent { border-left-color: #6fa8dc; } .row.is-accepted { border-left-color: #7cc49a; }
    .row.is-delivered { border-left-color: #3fae6d; } .row.is-duplicate { border-left-color: #e0b04c; }
    .row.is-refused { border-left-color: #e8705f; } .row.is-consent, .row.is-other { border-left-color: #b59bd6; }
    .head { display: block; width: 100%; padding: 7px 10px 3px; text-align: left; }
    .head:hover { background: #1d2b25; }
    .head:focus-visible { outline-offset: -2px; }
    .first { display: flex; gap: 8px; align-items: baseline; }
    .time { color: #a3b3a9; } .name { font-weight: 600; overflow-wrap: anywhere; }
    .command { margin-left: auto; color: #a3b3a9; font-size: 11.5px; }
    .gist { display: block; color: #cdd8d0; font-size: 12px; overflow-wrap: anywhere; }
    .life { display: flex; flex-wrap: wrap; gap: 2px 4px; padding: 2px 10px 7px; font-size: 11.5px; color: #8d9d94; }
    .life li + li::before { content: "→ "; color: #8d9d94; }
    .life .done { color: #8fd6ad; } .life .duplicate { color: #f0c667; } .life .refused { color: #ff9a8a; font-weight: 600; }
    .problem, .warning { padding: 0 10px 6px; font-size: 12px; overflow-wrap: anywhere; }
    .problem { color: #ff9a8a; } .warning { color: #f0c667; }
    pre { padding: 8px 10px; background: #0f1713; white-space: pre-wrap; overflow-wrap: anywhere; }
    .empty { padding: 18px 12px; color: #a3b3a9; }
    @media (max-width: 600px) {
      :host { inset: auto 8px 8px 8px; } .panel { width: 100%; height: 60vh; }
    }`;

  /** Element by tag, class, text and children; text only ever through `textContent`. */
  const make = (tag, name, text, ...children) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    element.append(...children.filter(Boolean));
    return element;
  };
  const button = (name, text, label, click) => {
    const element = make('button', name, text);
    element.type = 'button';
    if (label) element.setAttribute('aria-label', label);
    element.addEventListener('click', click);
    return element;
  };
  /** What another script holds back must not stop the panel. */
  const attempt = (action, otherwise) => {
    try {
      return action();
    } catch {
      return otherwise;
    }
  };
  const json = (value, space) => attempt(
    () => JSON.stringify(value, (_key, part) => (typeof part === 'function' ? '[function]' : part), space) ?? String(value),
    String(value),
  );
  const millis = (at) => {
    const time = typeof at === 'number' ? at : Date.parse(at);
    return Number.isFinite(time) ? time : Date.now();
  };
  const clock = (at) => {
    const time = new Date(at);
    const two = (part) => String(part).padStart(2, '0');
    return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`;
  };
  const short = (text) => (text.length > 44 ? `${text.slice(0, 20)}…${text.slice(-8)}` : text);
  const isList = (value) => Array.isArray(value) && value.some((item) => item && typeof item === 'object');

  /** The names and values that tell one event from another: "productKey TENT-2P · price 8990". */
  function gistOf(value, key = '', found = []) {
    if (value === null || value === undefined || typeof value === 'function') return found;
    if (isList(value) || (Array.isArray(value) && value.length === 0)) {
      const names = value.slice(0, 4).map((item) => {
        const id = item?.productKey ?? item?.product_id ?? '?';
        return item?.quantity === undefined ? id : `${id} × ${item.quantity}`;
      });
      if (value.length > names.length) names.push('…');
      found.push(`${value.length} ${value.length === 1 ? 'item' : 'items'}${names.length > 0 ? `: ${names.join(', ')}` : ''}`);
    } else if (Array.isArray(value)) found.push(`${key} ${value.join(', ')}`);
    else if (typeof value === 'object') {
      for (const [name, part] of Object.entries(value)) gistOf(part, name, found);
    } else found.push(key ? `${key} ${short(String(value))}` : String(value));
    return found;
  }

  let host;
  let view;
  let frame = 0;
  let consent;
  let heardConsent = false;
  let serial = 0;
  /** Newest first. */
  let records = [];
  const byId = new Map();
  const forgotten = new Map();
  const changed = new Set();
  const counters = { events: 0, delivered: 0, duplicate: 0, refused: 0, dropped: 0, warnings: 0 };

  function hear(event) {
    if (!event || typeof event !== 'object') return;
    if (event.type === 'debug') {
      if (event.on) start();
      else stop();
      return;
    }
    if (event.type === 'consent') consent = event.choice;
    if (!host) return;
    if (event.ids) {
      for (const id of event.ids) hear({ type: event.type, id });
      return;
    }
    // Both ways of delivery may carry an event; the Worker has stored it once, and that is what counts.
    if (event.code === 'known_message') {
      hear({ type: 'accepted', id: event.id });
      return;
    }
    if (event.type === 'consent') {
      // The first word only says how things stand; rows are for what happens.
      if (heardConsent) add({ kind: 'consent', id: `consent ${serial += 1}`, name: 'consent', command: '', data: event.choice ?? 'not decided', at: event.at });
      heardConsent = true;
      draw();
      return;
    }
    const id = event.id ?? `${event.type} ${serial += 1}`;
    if (forgotten.has(id)) {
      step(forgotten.get(id), event.type);
      draw();
      return;
    }
    const record = byId.get(id) ?? open(id, event);
    if (record.call === undefined && event.call) describe(record, event.call);
    // Too many waited, or one for too long: that is a loss, which a refusal need not be.
    if (event.code === 'expired' && !('refused' in record.life)) counters.dropped += 1;
    step(record.life, event.type);
    for (const name of ['code', 'field', 'message']) if (event[name] !== undefined && event[name] !== null) record[name] = event[name];
    for (const warning of event.warnings ?? []) {
      if (record.warnings.some((known) => json(known) === json(warning))) continue;
      record.warnings.push(warning);
      counters.warnings += 1;
    }
    changed.add(record);
    draw();
  }

  function step(life, type) {
    if (!LIFE.includes(type) || type in life) return;
    life[type] = Date.now();
    if (COUNTED.includes(type)) counters[type] += 1;
  }

  function open(id, event) {
    // What the kit derives from one call is named after it: `<id>#1`.
    const call = event.call ?? byId.get(String(id).split('#')[0])?.call;
    counters.events += 1;
    return add({ kind: LIFE.includes(event.type) ? 'event' : 'other', id, name: event.type, command: '', call, at: event.at });
  }

  function add(record) {
    Object.assign(record, { at: millis(record.at), life: {}, warnings: [] });
    if (record.call) describe(record, record.call);
    byId.set(record.id, record);
    records.unshift(record);
    changed.add(record);
    for (const old of records.splice(MAX_ROWS)) {
      byId.delete(old.id);
      changed.delete(old);
      old.row?.item.remove();
      forgotten.set(old.id, old.life);
    }
    for (const id of forgotten.keys()) {
      if (forgotten.size <= MAX_FORGOTTEN) break;
      forgotten.delete(id);
    }
    return record;
  }

  function describe(record, call) {
    record.call = call;
    const named = call[0] === 'sendEvent' || call[0] === 'sendEventWithTags';
    record.name = String(named ? call[1] : call[0]);
    record.command = named ? call[0] : '';
    record.data = named ? call[2] : call[1];
  }

  /** The event's steps, those still to come included. */
  function stepsOf({ life }) {
    const middle = 'duplicate' in life ? 'duplicate' : 'accepted';
    if ('refused' in life) return ['queued', 'sent', middle].filter((name) => name in life).concat('refused');
    if (middle === 'duplicate' && !('delivered' in life)) return ['queued', 'sent', 'duplicate'];
    return ['queued', 'sent', middle, 'delivered'];
  }

  const stateOf = ({ kind, life }) => (kind === 'event' ? LIFE.findLast((name) => name in life) ?? 'queued' : kind);
  const problemOf = ({ code, field, message }) => [code, field && `at ${field}`, message].filter(Boolean).map(String).join(' · ');

  function draw() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (!host) return;
      drawHeader();
      // Oldest first, so that each new row goes to the top in its turn.
      for (const record of [...changed].sort((a, b) => records.indexOf(b) - records.indexOf(a))) drawRow(record);
      changed.clear();
      drawEmpty();
    });
  }

  function drawHeader() {
    const sc = attempt(() => /(?:^|;\s*)sc=([^;]+)/.exec(document.cookie)?.[1], undefined);
    view.webId.textContent = sc ?? 'none';
    view.consent.textContent = typeof consent === 'object' && consent !== null
      ? Object.entries(consent).map(([purpose, on]) => `${purpose} ${on ? '✓' : '✗'}`).join('  ')
      : consent === null ? 'not decided' : 'unknown';
    view.counters.replaceChildren(...Object.entries(counters).map(([name, amount]) => make('span', '', `${amount} ${amount === 1 ? name.replace(/s$/, '') : name}`)));
    view.tabCount.textContent = `${counters.events}${counters.refused > 0 ? ` · ${counters.refused} refused` : ''}`;
  }

  function drawRow(record) {
    if (!record.row) {
      record.row = buildRow(record);
      view.rows.prepend(record.row.item);
    }
    const { row } = record;
    const state = stateOf(record);
    const problem = problemOf(record);
    row.item.className = `row is-${state}`;
    row.name.textContent = record.name;
    row.command.textContent = record.command;
    row.gist.textContent = gistOf(record.data).slice(0, 8).join(' · ');
    const steps = stepsOf(record);
    // News of a later step may come first, or be all there is after a change of page.
    const reached = steps.findLastIndex((name) => name in record.life);
    row.life.replaceChildren(...(record.kind === 'event' ? steps : []).map((name, index) => {
      const item = make('li', name === 'refused' || name === 'duplicate' ? name : index <= reached ? 'done' : '', name);
      if (name in record.life) item.title = `${record.life[name] - record.at} ms after the call`;
      return item;
    }));
    row.problem.hidden = problem === '';
    row.problem.textContent = problem;
    row.warnings.replaceChildren(...record.warnings.map((warning) => make('p', 'warning', `Warning: ${problemOf(warning) || json(warning)}`)));
    if (!row.raw.hidden) row.raw.textContent = json(exported(record), 2);
    record.text = [state, record.name, record.command, problem, json(record.call ?? record.data), json(record.warnings), record.id].join(' ').toLowerCase();
    row.item.hidden = !matches(record);
  }

  function buildRow(record) {
    const raw = make('pre', 'mono');
    raw.hidden = true;
    const name = make('span', 'name');
    const command = make('span', 'command');
    const gist = make('span', 'gist');
    const life = make('ol', 'life');
    const problem = make('p', 'problem');
    const warnings = make('div', '');
    const head = button('head', undefined, '', () => {
      raw.hidden = !raw.hidden;
      head.setAttribute('aria-expanded', String(!raw.hidden));
      if (!raw.hidden) raw.textContent = json(exported(record), 2);
    });
    head.setAttribute('aria-expanded', 'false');
    head.append(make('span', 'first', undefined, make('span', 'time mono', clock(record.at)), name, command), gist);
    return { item: make('li', 'row', undefined, head, life, problem, warnings, raw), name, command, gist, life, problem, warnings, raw };
  }

  function drawEmpty() {
    view.empty.hidden = records.some((record) => !record.row?.item.hidden);
    view.empty.textContent = records.length === 0 ? 'Nothing yet. Use the page, and its events appear here.' : 'No event matches the filter.';
  }

  const words = () => view.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (record) => words().every((word) => record.text.includes(word));

  function filter() {
    for (const record of records) if (record.row) record.row.item.hidden = !matches(record);
    drawEmpty();
  }

  function exported({ kind, id, at, call, data, life, code, field, message, warnings }) {
    const steps = Object.fromEntries(Object.entries(life).map(([name, time]) => [name, new Date(time).toISOString()]));
    return { kind, id, at: new Date(at).toISOString(), call: call ?? data, steps, code, field, message, warnings };
  }

  async function copy() {
    const shown = records.filter((record) => record.row && !record.row.item.hidden).map(exported);
    const text = json(shown, 2);
    // Pages on plain http have no clipboard object.
    const done = await attempt(() => navigator.clipboard.writeText(text).then(() => true, () => false), false) || copyByHand(text);
    say(done ? `Copied ${shown.length} ${shown.length === 1 ? 'entry' : 'entries'}.` : 'The browser did not let the panel copy.');
  }

  function copyByHand(text) {
    const area = make('textarea');
    area.value = text;
    const focused = view.root.activeElement;
    view.root.append(area);
    area.select();
    const done = attempt(() => document.execCommand('copy'), false);
    area.remove();
    focused?.focus();
    return done;
  }

  function say(text) {
    view.says.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => { view.says.textContent = ''; }, 3000);
  }

  function clear() {
    for (const record of records) {
      record.row?.item.remove();
      forgotten.set(record.id, record.life);
    }
    records = [];
    byId.clear();
    changed.clear();
    drawEmpty();
    view.filter.focus();
  }

  function fold(on, byHand) {
    view.panel.hidden = on;
    view.tab.hidden = !on;
    if (!byHand) return;
    attempt(() => sessionStorage.setItem(FOLDED, on ? 'folded' : 'open'));
    (on ? view.tab : view.filter).focus();
  }

  /** Arrow keys walk through the rows; Escape folds the panel. */
  function keys(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      fold(true, true);
      return;
    }
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    const heads = [...view.rows.querySelectorAll('.row:not([hidden]) > .head')];
    const now = heads.indexOf(view.root.activeElement);
    if (now < 0 && (event.key === 'ArrowUp' || view.root.activeElement !== view.filter)) return;
    event.preventDefault();
    const next = now + (event.key === 'ArrowDown' ? 1 : -1);
    (next < 0 ? view.filter : heads[Math.min(next, heads.length - 1)])?.focus();
  }

  function build() {
    const root = host.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const webId = make('dd', 'mono');
    const consentLine = make('dd', '');
    const count = make('dd', 'counters');
    const search = make('input');
    search.type = 'search';
    search.placeholder = 'Filter: name, product, refused …';
    search.setAttribute('aria-label', 'Filter the events');
    search.addEventListener('input', filter);
    const says = make('p', 'says');
    says.setAttribute('role', 'status');
    const rows = make('ol', 'rows');
    rows.setAttribute('aria-label', 'Events, the newest first');
    const empty = make('p', 'empty');
    const tabCount = make('span', 'mono');
    const tab = button('tab', undefined, '', () => fold(false, true));
    tab.append(make('span', '', 'Kit'), tabCount);
    tab.title = 'Unfold the debug panel';
    const panel = make('section', 'panel', undefined,
      make('header', '', undefined,
        make('div', 'title', undefined,
          make('h2', '', 'eSputnik kit'),
          button('tool', 'Copy JSON', '', copy),
          button('tool', 'Clear', 'Clear the list', clear),
          button('tool', '–', 'Fold the panel', () => fold(true, true)),
          button('tool', '×', 'Close the panel and leave debug mode', close)),
        make('dl', 'facts', undefined,
          make('dt', '', 'Web id'), webId, make('dt', '', 'Consent'), consentLine, make('dt', '', 'Counters'), count),
        search, says),
      empty, rows);
    panel.setAttribute('aria-label', 'Debug panel of the eSputnik kit');
    panel.addEventListener('keydown', keys);
    root.append(panel, tab);
    view = { root, panel, tab, tabCount, webId, consent: consentLine, counters: count, filter: search, says, rows, empty };
    const kept = attempt(() => sessionStorage.getItem(FOLDED), null);
    fold(kept ? kept === 'folded' : matchMedia('(max-width: 600px)').matches, false);
  }

  function start() {
    if (host) return;
    host = document.createElement('div');
    build();
    drawHeader();
    drawEmpty();
    // Beside the body, out of reach of scripts that rebuild it.
    document.documentElement.append(host);
  }

  function stop() {
    host?.remove();
    host = undefined;
    records = [];
    byId.clear();
    forgotten.clear();
    changed.clear();
    for (const name of Object.keys(counters)) counters[name] = 0;
  }

  function close() {
    window.eS('debug', false);
    stop();
  }

  Object.defineProperty(window, GUARD, { value: start });
  start();
  window.eS('on', '*', hear);
})();
