// When forms show themselves, and when not. Nothing here touches a page, a clock, a store or
// chance: all of them come as arguments, so that tests can run through weeks of them.
//
// `memory` is what a browser keeps of a site, `session` what a tab keeps of a visit, `facts` what is
// so at this moment on this page: `time` and `idle` (milliseconds on the page, and since the person
// last did something), `scroll` (percent, the furthest), `exit` (the pointer is outside), `clicks`
// (selectors of rules that the click of this moment hits), `open` (the form that is open), `shown`
// (ids that this page has shown), `device`, `known`, `places` (ways to write the page's address).

/** Seconds without another form after one, where the site says nothing. */
const SILENCE = 180;
/** A form comes once a day, where its rules say nothing. */
const FREQUENCY = { every: 86400 };
/** Whoever has closed a form this often does not want it. */
const CLOSES = 3;
/** A tab opened this soon after the first one belongs to the same first visit. */
const VISIT = 18e5;

export const fresh = () => [
  { v: 1, forms: {} },
  { v: 1, pages: 0, utm: {}, shown: [], dropped: [], queue: [] },
];

/** Whether a pattern with `*` fits one of the texts. */
export const matches = (patterns, texts) =>
  patterns.some((pattern) => {
    const source = pattern.replace(/[^\w*]/g, "\\$&").replace(/\*+/g, ".*");
    return texts.some((text) => RegExp(`^${source}$`, "is").test(text));
  });

/** Where a browser stands in a test, from 0 to below 100: always the same place. */
export const share = (seed, test) => {
  let hash = seed;
  for (const letter of test) {
    hash = Math.imul(hash ^ letter.charCodeAt(), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash, 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 42949672.96;
};

/** Whether a form is meant for this person on this page. */
export const fits = ({ id, show, split }, memory, session, facts) => {
  const { who, stop } = show || {};
  const { visitors, known, device, pages, utm } = who || {};
  const { after_subscription: after } = stop || {};
  const { include, exclude } = pages || {};
  const returning = session.start - memory.first > VISIT;
  const place = split && share(memory.seed, split.test);
  const { subscribed } = after == "this" ? memory.forms[id] || {} : memory;
  return (
    (after == "no" || !subscribed) &&
    (visitors == "new" ? !returning : visitors != "returning" || returning) &&
    (known == null || known == !!facts.known) &&
    (!device || device.includes(facts.device)) &&
    (!include || matches(include, facts.places)) &&
    !(exclude && matches(exclude, facts.places)) &&
    Object.keys(utm || {}).every(
      (key) => key in session.utm && matches(utm[key], [session.utm[key]]),
    ) &&
    (!split || (place >= split.from && place < split.to))
  );
};

/**
 * Says which form to show now, which ones to queue and to drop, and after how many milliseconds to
 * ask again if nothing happens before; `note` the first three.
 */
export const decide = ({ forms, interval }, memory, session, facts, now) => {
  const { seconds = SILENCE, views } = interval || {};
  const queue = [];
  const dropped = [];
  let wake = 0;
  let shown;

  /** Whether there is time to wait; its end is a moment to ask again. */
  const waits = (milliseconds) => {
    // Browsers take no longer delays, and who asks too early asks again.
    if (milliseconds > 0) wake = Math.min(wake || 1e9, Math.ceil(milliseconds));
    return milliseconds > 0;
  };

  const conditions = {
    time_on_page: (value) => !waits(value * 1e3 - facts.time),
    time_on_site: (value) => !waits(session.start + value * 1e3 - now),
    inactive: (value) => !waits(value * 1e3 - facts.idle),
    scroll: (value) => facts.scroll >= value,
    pages: (value) => session.pages >= value,
    exit: () => facts.exit,
    click: (value) => facts.clicks.includes(value),
  };

  const silent = views
    ? session.pages - session.at < views
    : waits(memory.last + seconds * 1e3 - now);
  const queued = (id) => session.queue.includes(id);
  const order = ({ id, show: { priority, who } }) => [
    priority || 0,
    who && who.pages ? 1 : 0,
    queued(id) ? -session.queue.indexOf(id) : -1e3,
  ];
  const ranked = forms
    .filter(({ id, layout, show }) => show && show.when && layout != "inline" && id != facts.open)
    .filter(({ id }) => !session.dropped.includes(id))
    .map((form) => [form, order(form)])
    .sort(([, a], [, b]) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2]);

  for (const [form] of ranked) {
    const { id, show } = form;
    const { when, frequency = FREQUENCY, stop } = show;
    const own = memory.forms[id] || {};
    const { closes = CLOSES } = stop || {};
    // All of them are asked, so that none that waits is missed.
    const answers = Object.keys(when)
      .filter((name) => conditions[name] && when[name] != null && when[name] !== false)
      .map((name) => conditions[name](when[name]));
    const met =
      answers[0] != null && (when.mode == "all" ? !answers.includes(false) : answers.includes(true));
    const capped =
      frequency == "always"
        ? // Conditions that go on being met would bring it back as often as it is closed.
          facts.shown.includes(id) && !facts.clicks.includes(when.click)
        : frequency == "session"
          ? session.shown.includes(id)
          : frequency == "once"
            ? own.shown
            : waits(own.shown + frequency.every * 1e3 - now);
    if (capped || own.closes >= (closes || 1 / 0) || !(met || queued(id))) continue;
    if (!fits(form, memory, session, facts)) continue;
    // One at a time, even of those that need not wait for the others.
    if (!facts.open && !shown && (!silent || show.interval == "show")) shown = id;
    else if (show.interval == "drop") dropped.push(id);
    else if (!queued(id)) queue.push(id);
  }
  return { shown, queue, dropped, wake };
};

/** A page, or a route of a single-page site, begins. `seed` counts for a browser's first one. */
export const enter = (memory, session, utm, seed, now) => {
  memory.first ??= now;
  memory.seed ??= seed;
  session.start ??= now;
  session.pages++;
  if (Object.keys(utm)[0]) session.utm = utm;
};

/** Keeps what has become of a form: "shown", "closed" by the person, "gone" by itself, "subscribed",
 *  "queue" or "dropped". */
export const note = (memory, session, what, id, now) => {
  const { queue } = session;
  const own = (memory.forms[id] ||= {});
  if (what == "queue" || what == "dropped") return session[what].push(id);
  if (what == "subscribed") return (own.subscribed = memory.subscribed = now);
  // Silence and caps last from when a form goes, if that is later.
  own.shown = memory.last = now;
  session.at = session.pages;
  if (what == "closed") own.closes = (own.closes || 0) + 1;
  if (!session.shown.includes(id)) session.shown.push(id);
  if (queue.includes(id)) queue.splice(queue.indexOf(id), 1);
};

/**
 * Draws times that have not come yet to now, and says whether there were any: where a clock was set
 * back, what has been shown counts as shown just now, neither never nor for years.
 */
export const heal = (memory, session, now) => {
  let healed = false;
  for (const part of [memory, session, ...Object.values(memory.forms)])
    for (const key in part)
      // Counts and the seed are far smaller than times.
      if (part[key] > now) {
        part[key] = now;
        healed = true;
      }
  return healed;
};
