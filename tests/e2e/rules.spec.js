// When forms show themselves: every rule by itself, and all of them at random over weeks of a
// virtual clock. No browser is needed here: `www/rules.js` gets all that it knows as arguments.
import assert from "node:assert/strict";

import { expect, test } from "@playwright/test";

import { decide, enter, fits, fresh, heal, note, share } from "../../www/rules.js";

const START = Date.UTC(2026, 10, 2, 9);
const DAY = 86400e3;

/** A browser with one tab on one page, whose clock stands still unless it is told to go on. */
class Visit {
  constructor(forms, { interval, seed = 1, now = START } = {}) {
    this.settings = { forms, interval };
    [this.memory, this.session] = fresh();
    Object.assign(this, { seed, now, log: [] });
    this.page("/");
  }

  page(path, utm = {}) {
    heal(this.memory, this.session, this.now);
    enter(this.memory, this.session, utm, this.seed, this.now);
    this.facts = {
      time: 0, idle: 0, scroll: 0, exit: false, clicks: [], open: null, shown: [],
      device: "desktop", known: false, places: [path], ...this.always,
    };
    return this.ask();
  }

  /** A later visit: the tab's store is empty, the browser's is not. */
  session_(path = "/") {
    [, this.session] = fresh();
    return this.page(path);
  }

  /** Something happens, for good or, as clicks do, for this moment. */
  signal(facts) {
    Object.assign(this.facts, facts);
    this.ask();
    this.facts.clicks = [];
    return this;
  }

  ask() {
    heal(this.memory, this.session, this.now);
    const answer = decide(this.settings, this.memory, this.session, this.facts, this.now);
    for (const what of ["queue", "dropped"])
      for (const id of answer[what]) {
        note(this.memory, this.session, what, id, this.now);
        this.log.push([this.now, what, id]);
      }
    this.wake = answer.wake && this.now + answer.wake;
    if (answer.shown) this.open(answer.shown);
    return this;
  }

  open(id) {
    note(this.memory, this.session, "shown", id, this.now);
    this.facts.shown.push(id);
    this.facts.open = id;
    this.log.push([this.now, "shown", id]);
  }

  end(what) {
    const [, , id] = this.log.findLast(([, what]) => what == "shown");
    this.facts.open = null;
    note(this.memory, this.session, what, id, this.now);
    return this.ask();
  }

  /** Somebody sets the clock back. */
  back(milliseconds) {
    this.now -= milliseconds;
    return this.ask();
  }

  close() {
    return this.end("closed");
  }

  /** Lets time go by, and wakes when the rules want it. */
  pass(milliseconds) {
    const end = this.now + milliseconds;
    while (this.wake && this.wake <= end) {
      const step = this.wake - this.now;
      assert(step > 0, "a moment to wake at");
      this.step(step);
      this.ask();
    }
    return this.step(end - this.now);
  }

  step(milliseconds) {
    this.now += milliseconds;
    this.facts.time += milliseconds;
    this.facts.idle += milliseconds;
    return this;
  }

  get shown() {
    return this.log.filter(([, what]) => what == "shown").map(([, , id]) => id);
  }
}

const form = (show, more = {}) => ({ id: "a", layout: "popup", show, ...more });
const visit = (show, options) => new Visit([form(show)], options);
/** Whether a form with these rules shows itself at once. */
const meant = (who, facts = {}, prepare = () => {}) => {
  const other = new Visit([]);
  prepare(other);
  return fits(form({ who }), other.memory, other.session, { ...other.facts, ...facts });
};

test.describe("when a form shows itself:", () => {
  test("a while after the page's start, to the millisecond, and once", () => {
    const shop = visit({ when: { time_on_page: 10 } });
    expect(shop.wake).toBe(START + 10e3);
    expect(shop.pass(9999).shown).toEqual([]);
    expect(shop.pass(1).shown).toEqual(["a"]);
    expect(shop.close().pass(3600e3).shown).toEqual(["a"]);
  });

  test("a while on the page begins again on the next one, a while on the site goes on", () => {
    const page = visit({ when: { time_on_page: 10 } });
    expect(page.pass(9e3).page("/b").pass(9e3).shown).toEqual([]);
    expect(page.pass(1e3).shown).toEqual(["a"]);
    const site = visit({ when: { time_on_site: 10 } });
    expect(site.pass(9e3).page("/b").pass(999).shown).toEqual([]);
    expect(site.pass(1).shown).toEqual(["a"]);
  });

  test("nothing is too early", () => {
    expect(visit({ when: { time_on_page: 0 } }).shown).toEqual(["a"]);
  });

  test("after so much of the page", () => {
    const shop = visit({ when: { scroll: 50 } });
    expect(shop.wake).toBe(0);
    expect(shop.signal({ scroll: 49.9 }).shown).toEqual([]);
    expect(shop.signal({ scroll: 50 }).shown).toEqual(["a"]);
  });

  test("after so many pages", () => {
    const shop = visit({ when: { pages: 3 } });
    expect(shop.page("/b").shown).toEqual([]);
    expect(shop.page("/c").shown).toEqual(["a"]);
  });

  test("after inactivity, which anything that a person does begins again", () => {
    const shop = visit({ when: { inactive: 20 } });
    shop.pass(19e3).signal({ idle: 0 });
    expect(shop.pass(19999).shown).toEqual([]);
    expect(shop.pass(1).shown).toEqual(["a"]);
  });

  test("when the pointer leaves the page", () => {
    const shop = visit({ when: { exit: true } });
    expect(shop.pass(1e3).shown).toEqual([]);
    expect(shop.signal({ exit: true }).shown).toEqual(["a"]);
    expect(visit({ when: { exit: false } }).signal({ exit: true }).shown).toEqual([]);
  });

  test("when a certain thing is clicked", () => {
    const shop = visit({ when: { click: ".more" } });
    expect(shop.signal({ clicks: [".other"] }).shown).toEqual([]);
    expect(shop.signal({ clicks: [".more"] }).shown).toEqual(["a"]);
  });

  test("any condition is enough, unless all are needed", () => {
    const when = { time_on_page: 10, scroll: 50 };
    expect(visit({ when }).signal({ scroll: 50 }).shown).toEqual(["a"]);
    expect(visit({ when: { mode: "any", ...when } }).pass(10e3).shown).toEqual(["a"]);
    const all = visit({ when: { mode: "all", ...when } });
    expect(all.pass(10e3).shown).toEqual([]);
    expect(all.signal({ scroll: 50 }).shown).toEqual(["a"]);
    const other = visit({ when: { mode: "all", ...when } }).signal({ scroll: 50 });
    expect(other.pass(10e3).shown).toEqual(["a"]);
  });

  test("a pointer that is back, or a click of long ago, is none of all", () => {
    const exit = visit({ when: { mode: "all", time_on_page: 10, exit: true } });
    exit.signal({ exit: true }).signal({ exit: false });
    expect(exit.pass(60e3).shown).toEqual([]);
    expect(exit.signal({ exit: true }).shown).toEqual(["a"]);
    const click = visit({ when: { mode: "all", time_on_page: 10, click: "b" } });
    expect(click.signal({ clicks: ["b"] }).pass(60e3).shown).toEqual([]);
    expect(click.signal({ clicks: ["b"] }).shown).toEqual(["a"]);
  });

  test("no conditions: never by itself", () => {
    const none = [undefined, {}, { when: {} }, { when: { mode: "all" } }, { frequency: "always" }];
    for (const show of none)
      expect(visit(show).pass(DAY).signal({ scroll: 100, exit: true }).shown).toEqual([]);
    const inline = new Visit([form({ when: { pages: 1 } }, { layout: "inline" })]);
    expect(inline.shown).toEqual([]);
  });
});

test.describe("for whom a form is meant:", () => {
  test("new and returning visitors", () => {
    const later = (shop) => shop.pass(DAY).session_();
    const soon = (shop) => shop.pass(60e3).session_();
    for (const [visitors, first, second, tab] of [
      ["all", true, true, true],
      ["new", true, false, true],
      ["returning", false, true, false],
    ]) {
      expect(meant({ visitors })).toBe(first);
      expect(meant({ visitors }, {}, later)).toBe(second);
      expect(meant({ visitors }, {}, soon), "in a second tab").toBe(tab);
    }
  });

  test("known contacts and unknown ones", () => {
    for (const known of [true, false]) {
      expect(meant({ known }, { known })).toBe(true);
      expect(meant({ known }, { known: !known })).toBe(false);
      expect(meant({}, { known })).toBe(true);
    }
  });

  test("devices", () => {
    expect(meant({ device: ["mobile", "tablet"] }, { device: "tablet" })).toBe(true);
    expect(meant({ device: ["mobile", "tablet"] }, { device: "desktop" })).toBe(false);
  });

  test("pages, by patterns", () => {
    for (const [include, exclude, place, expected] of [
      [["/catalog/*"], undefined, "/catalog/shoes", true],
      [["/catalog/*"], undefined, "/catalog", false],
      [["/catalog/*"], undefined, "/en/catalog/shoes", false],
      [["*/catalog/*"], undefined, "/en/catalog/shoes/red", true],
      [["/a", "/b"], undefined, "/b", true],
      [["/"], undefined, "/b", false],
      [undefined, ["/cart*"], "/cart", false],
      [undefined, ["/cart*"], "/CART/2", false],
      [undefined, ["/cart*"], "/", true],
      [["/*"], ["/cart*"], "/cart", false],
      [["/a.b"], undefined, "/axb", false],
      [["/a+(b)[c]?d"], undefined, "/a+(b)[c]?d", true],
      [["/каталог/*"], undefined, "/каталог/взуття", true],
      [["**a**"], undefined, "/".repeat(5000), false],
    ])
      expect(meant({ pages: { include, exclude } }, { places: [place] }), place).toBe(expected);
  });

  test("campaigns, which a visit keeps until the next one", () => {
    const who = { utm: { source: ["google", "face*"], medium: ["cpc"] } };
    const from = (utm) => (shop) => shop.page("/", utm).page("/b").page("/c", {});
    expect(meant(who, {}, from({ source: "Google", medium: "cpc" }))).toBe(true);
    expect(meant(who, {}, from({ source: "facebook", medium: "cpc" }))).toBe(true);
    expect(meant(who, {}, from({ source: "google" }))).toBe(false);
    expect(meant(who, {}, from({}))).toBe(false);
    expect(meant({ utm: { source: ["*"] } })).toBe(false);
    expect(
      meant(who, {}, (shop) => {
        from({ source: "google", medium: "cpc" })(shop);
        shop.page("/", { source: "bing" });
      }),
    ).toBe(false);
    expect(
      meant(who, {}, (shop) => {
        from({ source: "google", medium: "cpc" })(shop);
        shop.session_();
      }),
      "another visit",
    ).toBe(false);
  });

  test("whoever comes to the right page later is shown it then", () => {
    const shop = visit({ when: { time_on_page: 5 }, who: { pages: { include: ["/b"] } } });
    expect(shop.pass(60e3).shown).toEqual([]);
    expect(shop.page("/b").pass(5e3).shown).toEqual(["a"]);
  });
});

test.describe("how often a form shows itself:", () => {
  const when = { time_on_page: 0 };
  const again = (frequency, after, interval = { seconds: 0 }) => {
    const shop = visit({ when, frequency }, { interval });
    shop.close();
    after(shop);
    return shop.shown.length;
  };
  const page = (shop) => shop.page("/b");
  const later = (shop) => shop.pass(400 * DAY).session_();

  test("always: once on each page", () => {
    expect(again("always", (shop) => shop.pass(3600e3))).toBe(1);
    expect(again("always", page)).toBe(2);
  });

  test("always: at every click on what opens it", () => {
    const shop = visit({ when: { click: "b" }, frequency: "always" }, { interval: { seconds: 0 } });
    shop.signal({ clicks: ["b"] }).close().signal({ clicks: ["b"] });
    expect(shop.shown).toEqual(["a", "a"]);
  });

  test("once", () => {
    expect(again("once", page)).toBe(1);
    expect(again("once", later)).toBe(1);
  });

  test("once a session", () => {
    expect(again("session", page)).toBe(1);
    expect(again("session", (shop) => shop.session_())).toBe(2);
  });

  test("once in a period, a day unless another is given", () => {
    for (const [frequency, period] of [[{ every: 600 }, 600e3], [undefined, DAY]]) {
      expect(again(frequency, (shop) => shop.pass(period - 1).page("/b"))).toBe(1);
      expect(again(frequency, (shop) => shop.pass(period).session_())).toBe(2);
      expect(again(frequency, (shop) => shop.pass(period)), "on the same page").toBe(2);
    }
  });

  test("a period is counted from when the form goes", () => {
    const shop = visit({ when, frequency: { every: 600 } }, { interval: { seconds: 0 } });
    shop.pass(500e3).close().pass(599e3);
    expect(shop.shown.length).toBe(1);
    expect(shop.pass(1e3).shown.length).toBe(2);
  });

  test("not after so many closes, three unless another number is given", () => {
    for (const [stop, most] of [[undefined, 3], [{ closes: 1 }, 1], [{ closes: 5 }, 5]]) {
      const shop = visit({ when, frequency: "always", stop }, { interval: { seconds: 0 } });
      for (let i = 0; i < 10; i++) {
        if (shop.facts.open) shop.close();
        shop.pass(DAY).page("/");
      }
      expect(shop.shown.length).toBe(most);
    }
  });

  test("what goes by itself is not closed by the person", () => {
    const shop = visit({ when, frequency: "always" }, { interval: { seconds: 0 } });
    for (let i = 1; i < 10; i++) shop.end("gone").page("/");
    expect(shop.shown.length).toBe(10);
  });

  test("not after a subscription, of any form or of this one", () => {
    for (const [after_subscription, own, other] of [
      [undefined, 1, 0],
      ["any", 1, 0],
      ["this", 1, 1],
      ["no", 2, 1],
    ]) {
      const show = { when: { pages: 2 }, frequency: "always", stop: { after_subscription } };
      const mine = visit(show, { interval: { seconds: 0 } });
      mine.page("/").end("subscribed").page("/");
      expect(mine.shown.length, `own, ${after_subscription}`).toBe(own);
      const theirs = visit(show, { interval: { seconds: 0 } });
      note(theirs.memory, theirs.session, "subscribed", "b", START);
      expect(theirs.page("/").shown.length, `other, ${after_subscription}`).toBe(other);
    }
  });
});

test.describe("between two forms:", () => {
  const two = (second, interval) =>
    new Visit(
      [
        { id: "first", layout: "popup", show: { when: { time_on_page: 0 } } },
        { id: "second", layout: "box", show: { when: { time_on_page: 10 }, ...second } },
      ],
      { interval },
    );

  test("three minutes go by, and what was due comes then", () => {
    const shop = two().close();
    expect(shop.pass(179_999).shown).toEqual(["first"]);
    expect(shop.pass(1).shown).toEqual(["first", "second"]);
  });

  test("the site's own time goes by, from when the first one goes", () => {
    const shop = two({}, { seconds: 60 }).pass(30e3).close();
    expect(shop.pass(59_999).shown).toEqual(["first"]);
    expect(shop.pass(1).shown).toEqual(["first", "second"]);
  });

  test("so many pages go by", () => {
    const shop = two({}, { views: 3 }).close();
    shop.pass(3600e3);
    for (const path of ["/b", "/c"]) expect(shop.page(path).pass(20e3).shown).toEqual(["first"]);
    expect(shop.page("/d").shown).toEqual(["first", "second"]);
  });

  test("a moment that is gone still counts, on another page too", () => {
    const shop = two({ when: { exit: true } }).close();
    shop.signal({ exit: true }).signal({ exit: false }).page("/b");
    expect(shop.session.queue).toEqual(["second"]);
    expect(shop.pass(180e3).shown).toEqual(["first", "second"]);
    expect(shop.session.queue).toEqual([]);
  });

  test("who waits is still only meant for some pages", () => {
    const who = { pages: { exclude: ["/cart"] } };
    const shop = two({ who }).close();
    shop.pass(20e3).page("/cart").pass(3600e3);
    expect(shop.shown).toEqual(["first"]);
    expect(shop.page("/").shown).toEqual(["first", "second"]);
  });

  test("those that need not wait come at once, but not over an open one", () => {
    const shop = two({ interval: "show" });
    expect(shop.pass(10e3).shown).toEqual(["first"]);
    expect(shop.close().shown).toEqual(["first", "second"]);
    expect(two({ interval: "show" }).close().pass(10e3).shown).toEqual(["first", "second"]);
  });

  test("those that do not wait are dropped until the next visit", () => {
    const shop = two({ interval: "drop" }).close();
    shop.pass(10e3).page("/b").pass(DAY - 20e3);
    expect(shop.session.dropped).toEqual(["second"]);
    expect(shop.shown).toEqual(["first"]);
    shop.settings.forms.shift();
    expect(shop.session_().pass(10e3).shown).toEqual(["first", "second"]);
  });

  test("of several at once the most important comes, then the one that names pages", () => {
    const rules = { when: { time_on_page: 1 } };
    const shop = new Visit([
      { id: "plain", show: { ...rules } },
      { id: "paged", show: { ...rules, who: { pages: { include: ["*"] } } } },
      { id: "high", show: { ...rules, priority: 5 } },
      { id: "low", show: { ...rules, priority: -1 } },
      { id: "dropped", show: { ...rules, interval: "drop", priority: 4 } },
    ]);
    shop.pass(1e3);
    for (let i = 0; i < 6; i++) if (shop.facts.open) shop.close().pass(180e3);
    expect(shop.shown).toEqual(["high", "paged", "plain", "low"]);
  });

  test("of equals the one that waits longest comes first", () => {
    const shop = new Visit([
      { id: "b", show: { when: { scroll: 90 } } },
      { id: "a", show: { when: { scroll: 10 } } },
      { id: "first", show: { when: { time_on_page: 0 } } },
    ]);
    shop.close().signal({ scroll: 10 }).signal({ scroll: 100 });
    shop.pass(180e3).close().pass(180e3);
    expect(shop.shown).toEqual(["first", "a", "b"]);
  });
});

test.describe("shares of a test", () => {
  const random = generator(7);
  const seeds = Array.from({ length: 20_000 }, () => random() * 2 ** 32 >>> 0);

  test("are stable and as large as they should be", () => {
    for (const name of ["autumn", "b", "", "Осінь 2026"]) {
      const places = seeds.map((seed) => share(seed, name));
      expect(seeds.map((seed) => share(seed, name))).toEqual(places);
      for (const [from, to] of [[0, 50], [50, 100], [0, 10], [99, 100], [33, 34]]) {
        const part = places.filter((place) => place >= from && place < to).length / seeds.length;
        expect(Math.abs(part - (to - from) / 100), `${name} ${from} to ${to}`).toBeLessThan(0.012);
      }
      expect(places.every((place) => place >= 0 && place < 100)).toBe(true);
    }
  });

  test("of two tests have nothing to do with each other", () => {
    for (const [a, b] of [["autumn", "winter"], ["a", "b"], ["t1", "t2"]]) {
      const both = seeds.filter((seed) => share(seed, a) < 50 && share(seed, b) < 50).length;
      expect(Math.abs(both / seeds.length - 0.25), `${a} and ${b}`).toBeLessThan(0.015);
    }
  });

  test("of neighbouring seeds differ as well", () => {
    const places = seeds.map((_, i) => share(i, "autumn"));
    const half = places.filter((place) => place < 50).length / places.length;
    expect(Math.abs(half - 0.5)).toBeLessThan(0.015);
  });

  test("split two forms, and leave the rest without one", () => {
    const show = { when: { time_on_page: 0 } };
    const forms = [
      { id: "a", show, split: { test: "t", from: 0, to: 40 } },
      { id: "b", show, split: { test: "t", from: 40, to: 80 } },
    ];
    const counts = { a: 0, b: 0, none: 0 };
    for (const seed of seeds.slice(0, 5000)) {
      const place = share(seed, "t");
      const [shown = "none", ...more] = new Visit(forms, { seed }).shown;
      expect(more).toEqual([]);
      expect(shown).toBe(place < 40 ? "a" : place < 80 ? "b" : "none");
      counts[shown]++;
    }
    expect(counts.none).toBeGreaterThan(800);
  });
});

test.describe("a clock that is set back", () => {
  test("locks no form away for longer than its rules do", () => {
    const shop = visit({ when: { time_on_page: 0 }, frequency: { every: 3600 } });
    shop.close();
    shop.now -= 3650 * DAY;
    shop.session_();
    expect(shop.shown).toEqual(["a"]);
    expect(shop.pass(3599e3).page("/").shown).toEqual(["a"]);
    expect(shop.pass(1e3).shown).toEqual(["a", "a"]);
  });

  test("shows none twice, and keeps the silence", () => {
    const shop = visit({ when: { time_on_page: 0 }, frequency: { every: 3600 } }).close();
    shop.settings.forms.push({ id: "b", show: { when: { time_on_page: 0 } } });
    shop.now -= 3600e3;
    expect(shop.ask().shown).toEqual(["a"]);
    expect(shop.pass(179e3).shown).toEqual(["a"]);
    expect(shop.pass(1e3).shown).toEqual(["a", "b"]);
  });

  test("changes neither counts nor shares", () => {
    const shop = visit({ when: { time_on_page: 0 } }, { seed: 2 ** 32 - 1 }).close();
    shop.now = Date.UTC(2001);
    shop.page("/b");
    expect(shop.memory.seed).toBe(2 ** 32 - 1);
    expect(shop.memory.forms.a.closes).toBe(1);
    expect(shop.session.pages).toBe(2);
  });
});

test("what is stored is plain data, and asking changes none of it", () => {
  const shop = visit({ when: { time_on_page: 5, exit: true } });
  const frozen = (value) => {
    Object.values(value).forEach((part) => typeof part == "object" && part && frozen(part));
    return Object.freeze(value);
  };
  shop.pass(1e3);
  const stored = JSON.parse(JSON.stringify([shop.memory, shop.session]));
  expect(stored).toEqual([shop.memory, shop.session]);
  const facts = frozen({ ...shop.facts, exit: true });
  const ask = () => decide(frozen(shop.settings), ...stored.map(frozen), facts, shop.now);
  expect(ask()).toEqual({ shown: "a", queue: [], dropped: [], wake: 4e3 });
  expect(ask()).toEqual(ask());
});

test("a wake is never longer than a browser's timer can be", () => {
  const shop = visit({ when: { time_on_page: 0 }, frequency: { every: 1e9 } });
  expect(shop.close().pass(180e3).wake - shop.now).toBe(1e9);
  const alone = visit({ when: { time_on_page: 1e8 } });
  expect(alone.wake - START).toBe(1e9);
});

/** Numbers that look like chance, the same at each run. */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The unit of all times below: asking at each of them misses nothing. */
const TICK = 500;

function randomForms(random) {
  const pick = (...list) => list[Math.floor(random() * list.length)];
  const maybe = (value, chance = 0.4) => (random() < chance ? value : undefined);
  return Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) => ({
    id: "f" + i,
    layout: pick("popup", "box", "bar"),
    split: maybe({ test: pick("t", "u"), from: pick(0, 30), to: pick(60, 100) }, 0.2),
    show: {
      when: {
        mode: maybe(pick("any", "all")),
        time_on_page: maybe(pick(0, 3, 10.5, 60)),
        time_on_site: maybe(pick(5, 30, 200)),
        scroll: maybe(pick(30, 80), 0.3),
        pages: maybe(pick(2, 4), 0.3),
        inactive: maybe(pick(4, 15, 45), 0.3),
        exit: maybe(true, 0.3),
        click: maybe("c", 0.3),
      },
      who: maybe({
        visitors: maybe(pick("new", "returning")),
        known: maybe(pick(true, false), 0.2),
        pages: maybe({ include: maybe(["/a*"]), exclude: maybe(["/ab"]) }),
      }),
      frequency: pick("always", "once", "session", { every: pick(20, 300) }),
      stop: maybe({
        closes: maybe(pick(1, 2, 6)),
        after_subscription: maybe(pick("any", "this", "no")),
      }),
      interval: maybe(pick("queue", "show", "drop"), 0.7),
      priority: maybe(pick(-1, 1, 2)),
    },
  }));
}

/** What people and clocks do next. */
function randomStep(random) {
  const dice = random();
  if (dice < 0.4) return ["pass", TICK * Math.floor(random() * 60)];
  if (dice < 0.5) return ["signal", { scroll: Math.floor(random() * 101), idle: 0 }];
  if (dice < 0.57) return ["signal", { exit: true, idle: 0 }];
  if (dice < 0.64) return ["signal", { exit: false, idle: 0 }];
  if (dice < 0.72) return ["signal", { clicks: ["c"], idle: 0 }];
  if (dice < 0.82) return ["page", ["/", "/a", "/ab", "/abc"][Math.floor(random() * 4)]];
  if (dice < 0.93) return ["end", ["closed", "closed", "gone", "subscribed"][Math.floor(random() * 4)]];
  if (dice < 0.95) return ["signal", { known: random() < 0.5 }];
  if (dice < 0.96) return ["session_", "/a"];
  if (dice < 0.97) return ["pass", DAY + TICK * Math.floor(random() * 100)];
  if (dice < 0.975) return ["back", TICK * Math.floor(random() * 4000)];
  return ["pass", TICK];
}

/** Asks at every tick instead of when the rules want it. */
class Impatient extends Visit {
  pass(milliseconds) {
    // Longer than the longest of the rules' times; after that, only a longer time could tell.
    const busy = Math.min(milliseconds, 1000 * TICK);
    for (let i = 0; i < busy / TICK; i++) this.step(TICK).ask();
    return this.step(milliseconds - busy);
  }
}

/** Keeps books of its own, in time that never goes back, and checks each move of the rules by them. */
class Watched extends Visit {
  // The first page is entered before a field would be there.
  get books() {
    return (this.kept ??= {
      time: 0, pages: 0, closes: {}, shown: {}, session: {}, subscribed: {}, queued: {}, dropped: {},
    });
  }

  step(milliseconds) {
    this.books.time += milliseconds;
    return super.step(milliseconds);
  }

  page(...rest) {
    this.books.pages++;
    return super.page(...rest);
  }

  session_(...rest) {
    Object.assign(this.books, { session: {}, queued: {}, dropped: {}, pages: 0, at: undefined });
    return super.session_(...rest);
  }

  ask() {
    const from = this.log.length;
    super.ask();
    for (const [, what, id] of this.log.slice(from))
      if (what != "shown") this.books[what == "queue" ? "queued" : what][id] = true;
    return this;
  }

  open(id) {
    const { books, settings, facts, memory } = this;
    const { show, split } = settings.forms.find((form) => form.id == id);
    const { interval: { seconds = 180, views } = {} } = settings;
    const { frequency, stop: { closes = 3, after_subscription = "any" } = {}, who = {} } = show;
    const since = books.time - books.last;
    assert.equal(facts.open, null, "another one is open");
    if (show.interval != "show" && books.last !== undefined) {
      if (!views) assert(since >= seconds * 1e3, "the silence");
      else if (books.at !== undefined) assert(books.pages - books.at >= views, "the silence");
    }
    const own = books.shown[id];
    if (frequency == "once") assert.equal(own, undefined, "once");
    if (frequency == "session") assert(!books.session[id], "once a session");
    if (frequency.every && own !== undefined)
      assert(books.time - own >= frequency.every * 1e3, "the cap");
    assert((books.closes[id] ?? 0) < closes, "closes");
    if (after_subscription == "any") assert.deepEqual(books.subscribed, {});
    if (after_subscription == "this") assert(!books.subscribed[id], "a subscription");
    assert(!books.dropped[id], "dropped");
    const place = split && share(this.seed, split.test);
    if (split) assert(place >= split.from && place < split.to, "its share");
    assert.equal(memory.seed, this.seed);
    if (who.known !== undefined) assert.equal(facts.known, who.known);
    if (who.pages?.include) assert.match(facts.places[0], /^\/a/);
    if (who.pages?.exclude) assert.notEqual(facts.places[0], "/ab");
    super.open(id);
    this.books.queued[id] = false;
    this.count(id);
  }

  end(what) {
    const [, , id] = this.log.findLast(([, what]) => what == "shown");
    if (what == "closed") this.books.closes[id] = (this.books.closes[id] ?? 0) + 1;
    if (what == "subscribed") this.books.subscribed[id] = true;
    else this.count(id);
    return super.end(what);
  }

  count(id) {
    const { books } = this;
    Object.assign(books, { last: books.time, at: books.pages });
    books.shown[id] = books.time;
    books.session[id] = true;
  }

  /** What was queued and may still come does come, once nothing is in the way any more. */
  settle() {
    this.signal({ exit: false, known: false });
    if (this.facts.open) this.end("gone");
    for (const form of this.settings.forms) {
      const { id, show, split } = form;
      if (!this.books.queued[id] || show.who || split) continue;
      const { stop: { closes = 3, after_subscription = "any" } = {} } = show;
      if ((this.books.closes[id] ?? 0) >= closes) continue;
      if (after_subscription == "any" && Object.keys(this.books.subscribed)[0]) continue;
      if (after_subscription == "this" && this.books.subscribed[id]) continue;
      // More important ones might come again and again.
      this.settings = { ...this.settings, forms: [form] };
      for (let i = 0; i < 3 && this.session.queue.includes(id); i++) this.page("/").pass(600e3);
      assert(!this.session.queue.includes(id), "what was queued has come");
      if (this.facts.open) this.end("gone");
    }
  }
}

test("over weeks of anything, the rules hold, and waking when they say misses nothing", () => {
  test.setTimeout(120_000);
  const totals = { shown: 0, queue: 0, dropped: 0 };
  for (let seed = 1; seed <= 400; seed++) {
    const random = generator(seed);
    const forms = randomForms(random);
    const interval = [undefined, { seconds: 60 }, { seconds: 0 }, { views: 2 }][seed % 4];
    const options = { interval, seed: (random() * 2 ** 32) >>> 0 };
    const shops = [new Watched(forms, options), new Impatient(forms, options)];
    const done = [];
    try {
      for (let i = 0; i < 60; i++) {
        const [name, argument] = randomStep(random);
        done.push([name, argument]);
        for (const shop of shops) if (name != "end" || shop.facts.open) shop[name](argument);
        assert.deepEqual(shops[0].log.slice(-3), shops[1].log.slice(-3));
      }
      assert.deepEqual(shops[0].log, shops[1].log);
      for (const [, what] of shops[0].log) totals[what]++;
      shops[0].settle();
    } catch (error) {
      console.log(`seed ${seed}: ${JSON.stringify({ forms, interval, done })}`);
      throw error;
    }
  }
  // Chance has reached what it is to test.
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(100);
});
