// The starter of forms: what every page with forms loads. It finds forms and their places, says when
// to show them (by `rules.js`), and keeps what has become of them. `show.js`, fetched once a form is
// to be seen, builds them. A form that is bound or built is at once a working one that posts without
// script; `widgets.js`, fetched when a person first touches a form, makes it a better one.
//
// It comes as a module from `<base>/forms.js` or `<base>/a/<hash>.js`, with or without the loader,
// and of a page's policy it needs only `script-src` and `connect-src` of its own origin.
//
// What it needs of the Worker, in the language that it names:
// - `forms.json?lang=`: `{v, consent, interval, links, forms: [{id, kind, layout, position, launcher, theme,
//   dir, place, show, split}]}`, all forms that show by rules, launcher or selector.
//   `consent` is true where a site counts as granted before the visitor says anything; `links` is a
//   regular expression of the queries of mails' links that name a contact; `launcher` is the button's
//   text.
// - `forms/<id>.json?lang=`: `{v, id, lang, dir, kind, layout, position, title, close, theme, stop,
//   tree}`. `title` names a dialog for screen readers, `close` its close button; `stop` is that of the
//   form's rules.
// - `tree` is `[tag, {attribute: text}, ...children]`. Its root has the class `es-form`. Of what is in
//   it only these mean something here: `data-es-close` (a click closes the form), `data-es-pass` (a
//   click lets through an age gate, which nothing else closes), `.es-more` (the field that people do
//   not see), `.es-button` (a click is reported). `_lang` and `_page` are posted beside what it holds.
//
// What `widgets.js` gets: `enhance(form, view, context)`, once for each form, `context` being
// `{base, id, lang, report(action, detail), close(), identify(data)}`. Reporting `FormFinish`,
// `FormSuccessSubscribe` or `FormAlreadySubscribe` counts as a subscription in the rules.
import { decide, enter, fits, fresh, heal, note } from "./rules.js";

const start = () => {
  const base = import.meta.url.replace(/(a\/\w+|forms)\.js.*/, "");
  const root = document.documentElement;
  const KEY = "es-forms";
  const WHERE = {
    before: "before",
    after: "after",
    inside_first: "prepend",
    replace: "replaceWith",
  };

  let settings = { forms: [] };
  let [memory, session] = fresh();
  let consent, timer, began, page, shows, widgets, claimed;
  /** The form over the page: its `id`, `close` and, where the browser knows no Escape, `leave`. */
  let opened = 0;
  let active = performance.now();
  let scroll = 0;
  let exit = false;
  /** What this page has shown. */
  let shown = [];
  const views = {};
  const placed = {};
  const launchers = {};
  const met = new WeakSet();

  /** What may fail: denied storage, where even touching it throws, and what a shop has written. */
  const attempt = (use) => {
    try {
      return use();
    } catch {}
  };

  const listen = (target, names, listener) => {
    for (const name of names.split(" "))
      target.addEventListener(name, listener, { capture: true, passive: name != "click" });
  };

  const warn = (text) => {
    if (document.querySelector("script[data-debug]:not([data-debug=off])"))
      console.warn("[kit]", text);
  };

  const language = (host) =>
    (host && host.getAttribute("lang")) || root.lang || navigator.language || "";

  const get = async (path, lang) => {
    const answer = await fetch(base + path + ".json?lang=" + encodeURIComponent(lang));
    if (!answer.ok) throw Error(path + " " + answer.status);
    return answer.json();
  };

  const view = (id, lang) => (views[id + lang] ||= get("forms/" + id, lang));

  // ---- What is kept -----------------------------------------------------------------------------

  const load = (name, key = KEY) => attempt(() => JSON.parse(window[name][key]));

  const keep = (name, value) =>
    attempt(() => {
      if (value) window[name][KEY] = JSON.stringify(value);
      else window[name].removeItem(KEY);
    });

  /** Other tabs write too, so each use reads again. */
  const read = () => {
    const kept = load("localStorage") || {};
    if (kept.v == 1) memory = { ...memory, ...kept, forms: { ...memory.forms, ...kept.forms } };
    const visit = load("sessionStorage") || {};
    if (visit.v == 1) session = visit;
  };

  /** Without consent only what the person did is kept, so that it need not be done again. */
  const save = () => {
    const choice = load("localStorage", "es-consent");
    const granted = settings.consent && !navigator.globalPrivacyControl;
    const all = consent ?? (choice ? choice.includes("forms") : granted);
    const { subscribed, forms } = memory;
    const done = Object.entries(forms).filter(([, own]) => own.closes || own.subscribed);
    const least = done[0] && { v: 1, subscribed, forms: Object.fromEntries(done) };
    keep("localStorage", all ? memory : least);
    keep("sessionStorage", all && session);
  };

  const know = (known) => {
    memory.known = known;
    save();
  };

  const remember = (what, id) => {
    read();
    note(memory, session, what, id, Date.now());
    save();
  };

  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  /** Whether this tab is the one that may show something now, as others may be about to. */
  const claim = () =>
    claimed ||
    new Promise((resolve, reject) => {
      const hold = (lock) => {
        resolve((claimed = lock));
        // Until other tabs can read what this one has kept: their storage is not the same at once.
        return lock && pause(1e3).then(() => (claimed = 0));
      };
      navigator.locks.request(KEY, { ifAvailable: true }, hold).catch(reject);
    }).catch(async () => {
      // There are none. Of two that write at once, one finds what the other has written.
      const own = (memory.claim = Math.random());
      save();
      await pause(100);
      read();
      return memory.claim == own;
    });

  // ---- Forms ------------------------------------------------------------------------------------

  /** What shows forms; nobody needs it before. */
  const shower = () => (shows ||= import(new URL(KIT_SHOW, base + "a/")));

  /** Makes a form one that posts to the Worker, and a better one once a person touches it. */
  const attend = (form, about, close) => {
    const { id } = about;
    const lang = about.lang || language(form);
    // An informer has nothing to send.
    if (form.localName != "form") return () => {};
    // A framework may take the form over yet, and finds it as it was.
    form.addEventListener("formdata", ({ formData }) => {
      formData.set("_lang", lang);
      formData.set("_page", location.href);
    });
    const report = (action, detail) => {
      if (/^Form(Finish|Success|Already)/.test(action)) {
        remember("subscribed", id);
        // What comes now may be lower; whoever reads below the form goes on undisturbed.
        if (about.layout == "inline") form.style.minHeight = getComputedStyle(form).height;
      }
      shower().then((module) => module.report(action, about, form, detail), warn);
    };
    const identify = (data) => {
      know(true);
      if (window.eS) eS("identify", data);
    };
    let ready, done;
    const better = () => {
      widgets ||= KIT_WIDGETS ? import(new URL(KIT_WIDGETS, base + "a/")) : Promise.reject();
      ready ||= widgets
        .then(async ({ enhance }) =>
          enhance(form, await view(id, lang), { base, id, lang, report, close, identify }),
        )
        // The plain form is there all the same.
        .catch(warn)
        .then(() => (done = true));
      return ready;
    };
    listen(form, "focusin pointerdown", better);
    // Somebody may have begun before this script was there.
    if (form.matches(":focus-within")) better();
    form.addEventListener("submit", (event) => {
      form.setAttribute("method", "post");
      form.setAttribute("action", base + "forms/" + id);
      if (done || event.defaultPrevented) return;
      // Sent before it is better: a moment more, and never more than that.
      event.preventDefault();
      Promise.race([better(), pause(4e3)]).then(() => {
        done = true;
        form.requestSubmit(event.submitter);
      });
    });
    return better;
  };

  // ---- In the page ------------------------------------------------------------------------------

  const inline = async (host, id) => {
    if (met.has(host)) return;
    met.add(host);
    if (host.localName == "form") return attend(host, { id, layout: "inline" });
    try {
      const shown = await view(id, language(host));
      (await shower()).inline(host, shown, kit);
    } catch (error) {
      // What the place holds is for this.
      warn(error);
    }
  };

  const scan = () => {
    for (const host of document.querySelectorAll("[data-es-form]"))
      inline(host, host.dataset.esForm);
    for (const form of settings.forms) {
      const { id, place } = form;
      if (!place || (placed[id] && placed[id].isConnected) || !fits(form, memory, session, facts()))
        continue;
      const target = attempt(() => document.querySelector(place.selector));
      if (!target) continue;
      placed[id] = document.createElement("es-form");
      placed[id].setAttribute("form", id);
      target[WHERE[place.where] || "append"](placed[id]);
    }
    if (page && page != place()) turn();
  };

  // ---- Over the page ----------------------------------------------------------------------------

  const show = async (id, asked, back = document.activeElement) => {
    if (opened) {
      // What a person wants comes instead of what is there.
      if (!asked || opened.id == id) return;
      opened.close();
    }
    const me = (opened = { id });
    const { last } = memory;
    me.close = () => {
      me.over = true;
      opened = 0;
    };
    try {
      const [module, made] = await Promise.all([shower(), view(id, language())]);
      // What a page must not be seen without waits for no other page.
      const late =
        !asked && made.kind != "age_gate" && (!(await claim()) || (read(), memory.last != last));
      if (me.over) return;
      if (late) {
        // Another tab was faster; what it has kept is here soon.
        me.close();
        clearTimeout(timer);
        timer = setTimeout(turn, 1e3);
        return;
      }
      shown.push(id);
      if (module.open(made, asked, back, me, kit)) remember("shown", id);
      launch();
    } catch (error) {
      warn(error);
      // It is not tried again on this page.
      settings.forms = settings.forms.filter((form) => form.id != id);
      if (!me.over) opened = 0;
      // Who has clicked gets it as a page of its own.
      if (asked > 1) location = base + "forms/" + id + "?lang=" + encodeURIComponent(language());
    }
  };

  const end = (id, person) => {
    const { subscribed } = memory.forms[id] || {};
    opened = 0;
    remember(person && !subscribed ? "closed" : "gone", id);
    launch();
    turn();
  };

  /** Puts the buttons there that open forms, and away where they are not meant. */
  const launch = () => {
    for (const form of settings.forms) {
      const { id } = form;
      const wanted = form.launcher && opened.id != id && fits(form, memory, session, facts());
      if (launchers[id]) launchers[id].hidden = !wanted;
      else if (wanted) {
        // Until it is there.
        launchers[id] = {};
        shower().then(({ launcher }) => {
          launchers[id] = launcher(form, (button) => show(id, 2, button));
          launch();
        }, warn);
      }
    }
  };

  const kit = { attend, warn, end };

  // ---- When -------------------------------------------------------------------------------------

  /** A change of the fragment alone is a place on the same page. */
  const place = () => location.href.split("#")[0];

  const facts = (clicks = []) => {
    const now = performance.now();
    const { pathname, search, hash } = location;
    const places = [pathname, pathname + search + hash].map(
      (text) => attempt(() => decodeURI(text)) || text,
    );
    const small = Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
    return {
      time: now - began,
      idle: now - active,
      device: matchMedia("(pointer:coarse)").matches ? small : "desktop",
      known: memory.known ?? memory.subscribed,
      open: opened && opened.id,
      scroll,
      exit,
      clicks,
      shown,
      places,
    };
  };

  const turn = (clicks) => {
    if (document.hidden) return;
    read();
    const now = Date.now();
    let changed = heal(memory, session, now);
    if (page != place()) {
      page = place();
      began = performance.now();
      scroll = 0;
      shown = [];
      const utm = {};
      for (const [name, value] of new URLSearchParams(location.search))
        if (/^utm_/.test(name)) utm[name.slice(4)] = value;
      const { links } = settings;
      if (links && RegExp(links, "i").test(location.search)) memory.known = true;
      enter(memory, session, utm, crypto.getRandomValues(new Uint32Array(1))[0], now);
      changed = true;
    }
    const answer = decide(settings, memory, session, facts(clicks), now);
    for (const what of ["queue", "dropped"])
      for (const id of answer[what]) changed = note(memory, session, what, id, now);
    if (changed) save();
    clearTimeout(timer);
    if (answer.wake) timer = setTimeout(turn, answer.wake);
    launch();
    if (answer.shown) show(answer.shown);
  };

  /** Routers change the address more than once, and the page after that. */
  const later = () => setTimeout(turn);

  const watch = () => {
    const rules = settings.forms.map(({ show }) => show || {});
    const uses = (name) => rules.some(({ when }) => when && when[name] != null);
    if (uses("scroll"))
      listen(document, "scroll", ({ target }) => {
        const { scrollTop, scrollHeight, clientHeight } = target.scrollingElement || target;
        const percent = Math.round((scrollTop / (scrollHeight - clientHeight)) * 100);
        // What scrolls may be a part of the page, if it is a large one.
        if (percent > scroll && clientHeight > innerHeight / 2) {
          scroll = percent;
          turn();
        }
      });
    if (uses("inactive"))
      listen(document, "pointermove pointerdown keydown wheel touchmove scroll", () => {
        active = performance.now();
      });
    if (uses("exit")) {
      root.addEventListener("mouseenter", () => (exit = false));
      root.addEventListener("mouseleave", () => {
        exit = true;
        turn();
      });
    }
    if (!window.eS || !eS.kit) return;
    eS("on", "consent", ({ choice }) => {
      consent = choice && choice.forms;
      // `eS("forget")`: a new visitor begins, of whom nothing is kept before they choose.
      if (choice === undefined) {
        [memory, session] = fresh();
        consent = page = 0;
      }
      save();
    });
    if (rules.some(({ who }) => who && who.known != null))
      eS("on", "queued", ({ call: [name] }) => {
        if (!/^(identify|reset)$/.test(name)) return;
        know(name == "identify");
        turn();
      });
  };

  window.esForms = {
    show: (id) => show(id, 1),
    close: (id) => opened && (!id || opened.id == id) && opened.close(),
    on: (name, callback) =>
      document.addEventListener("es:form", ({ detail }) => {
        if (name == "*" || name == detail.action) callback(detail);
      }),
  };

  class Element extends HTMLElement {
    connectedCallback() {
      inline(this, this.getAttribute("form"));
    }
  }
  attempt(() => customElements.define("es-form", Element));
  listen(document, "click", (event) => {
    const path = event.composedPath().filter((element) => element.closest);
    const opener = path.find((element) => element.dataset.esOpen);
    if (opener) {
      event.preventDefault();
      show(opener.dataset.esOpen, 2, opener);
    }
    const selectors = settings.forms.map(({ show }) => show && show.when && show.when.click);
    const hit = selectors.filter((text) =>
      attempt(() => text && path.some((element) => element.matches(text))),
    );
    if (hit[0]) turn(hit);
  });
  document.addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key == "Escape" && !defaultPrevented && opened.leave) opened.leave();
  });
  new MutationObserver(scan).observe(document, { childList: true, subtree: true });
  scan();

  get("forms", language()).then((answer) => {
    settings = answer;
    watch();
    turn();
    scan();
    document.addEventListener("visibilitychange", () => turn());
    addEventListener("popstate", later);
    addEventListener("pageshow", ({ persisted }) => {
      if (!persisted) return;
      page = 0;
      turn();
    });
    if (window.navigation) navigation.addEventListener("currententrychange", later);
    setTimeout(() => {
      for (const { id, place } of settings.forms)
        if (place && !placed[id]) warn(`form ${id}: nothing on the page is ${place.selector}`);
    }, 3e3);
  }, warn);
};

// Two script tags are one too many; the loader may come with another.
if (!window.esForms) start();
