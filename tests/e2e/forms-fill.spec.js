// Filling in a form: what a person is told, that the keyboard is enough, and what the Worker gets.
import { accepted, expect, json, ORIGIN, refused, test } from "./filling.js";

const press = (page, name) => page.getByRole("button", { name }).click();

const fillLetters = async (page) => {
  await page.getByLabel("Email").fill("anna@shop.example");
  await page.getByLabel("I agree").check();
};

test("what is wrong is told at the field, once it is left, and goes when it is right", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  const email = page.getByLabel("Email");
  await email.pressSequentially("anna@");
  await expect(email).not.toHaveAttribute("aria-invalid", "true");
  await page.keyboard.press("Tab");
  await expect(email).toHaveAccessibleDescription("Please give an address like name@example.com.");
  await expect(email).toHaveAttribute("aria-invalid", "true");
  await email.pressSequentially("shop.example");
  await expect(email).toHaveAccessibleDescription("");
  await expect(email).not.toHaveAttribute("aria-invalid", "true");
  expect(shop.posted).toEqual([]);
});

test("the keyboard is enough, and a wrong form puts the focus on the first wrong field", async ({ page, shop }) => {
  await shop.open("letters.en");
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Email")).toBeFocused();
  await page.waitForFunction(() => window.state == "better");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").filter({ hasText: "Please check" })).toBeVisible();
  await expect(page.getByLabel("Email")).toBeFocused();
  await expect(page.getByLabel("Email")).toHaveAccessibleDescription("Please fill this in.");
  await expect(page.getByLabel("I agree")).toHaveAccessibleDescription("We need your consent.");
  await page.keyboard.type("anna@shop.example");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.locator(".es-thanks")).toBeFocused();
  await expect(page.getByText("Check your mail")).toBeVisible();
  await expect(page.getByLabel("Email")).toBeHidden();
  expect(shop.calls).toEqual({ call: "form:letters" });
  expect(shop.posted).toEqual([
    {
      token: "t1",
      data: { email: "anna@shop.example", consent: "1" },
      page: { url: ORIGIN + "/", ref: "", lang: "en" },
    },
  ]);
  expect(await shop.told()).toEqual([
    ["FormClick"],
    ["FormStartFilling"],
    ["identify", { user_email: "anna@shop.example" }],
    ["FormSuccessSubscribe"],
    ["FormFinish"],
  ]);
});

test("a web id goes along", async ({ page, shop }) => {
  await shop.open("letters.en");
  await page.evaluate(() => (document.cookie = "sc=ABC-1; path=/"));
  await shop.touch("Email");
  await fillLetters(page);
  await press(page, "Subscribe");
  await expect(page.locator(".es-thanks")).toBeVisible();
  expect(shop.posted[0].sc).toBe("ABC-1");
});

test("an address that was mistyped is offered as it may be meant", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  const email = page.getByLabel("Email");
  await email.pressSequentially("anna@gmial.com");
  const offer = page.getByRole("button", { name: "Did you mean anna@gmail.com?" });
  await expect(offer).toBeVisible();
  await expect(email).toBeFocused();
  await page.screenshot({ path: test.info().outputPath("offer.png") });
  await page.keyboard.press("Tab");
  await expect(offer).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(email).toHaveValue("anna@gmail.com");
  await expect(email).toBeFocused();
  await expect(offer).toHaveCount(0);
});

test("what was typed and left before the help came is looked at too", async ({ page, shop }) => {
  let come;
  await shop.open("letters.en", { slow: new Promise((resolve) => (come = resolve)) });
  await page.getByLabel("Email").fill("anna@gmial.com");
  await page.getByLabel("First name").focus();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Did you mean anna@gmail.com?" })).toHaveCount(0);
  come();
  await expect(page.getByRole("button", { name: "Did you mean anna@gmail.com?" })).toBeVisible();
  // Nothing was typed here, so nothing is said of it.
  await expect(page.locator(".es-first_name .es-error")).toBeEmpty();
});

test("what was typed before the help came, and left after, is looked at too", async ({ page, shop }) => {
  let come;
  await shop.open("letters.en", { slow: new Promise((resolve) => (come = resolve)) });
  await page.getByLabel("Email").pressSequentially("anna@gmial.com");
  come();
  await page.waitForFunction(() => window.state == "better");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Did you mean anna@gmail.com?" })).toBeVisible();
});

test("a button does not run away from under the pointer", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await page.getByLabel("I agree").check();
  await page.getByLabel("Email").fill("anna@");
  const box = await page.getByRole("button", { name: "Subscribe" }).boundingBox();
  await page.mouse.move(box.x + 9, box.y + 3);
  await page.mouse.down();
  const moved = await page.getByRole("button", { name: "Subscribe" }).boundingBox();
  expect(moved.y).toBe(box.y);
  await page.mouse.up();
  await expect(page.getByText("Please give an address")).toBeVisible();
});

test("a phone number is written as all can dial it, in the country that was chosen", async ({ page, shop }) => {
  await shop.open("call.en");
  await shop.touch("Phone");
  const phone = page.getByLabel("Phone");
  const country = page.getByLabel("Country code");
  await expect(phone).toBeFocused();
  await phone.fill("050 123 45 67");
  await country.focus();
  await expect(phone).toHaveValue("050 123 45 67");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(phone).toHaveValue("+380501234567");
  await phone.fill("512 345 678");
  await country.selectOption({ label: "Poland +48" });
  await expect(phone).toHaveValue("+48512345678");
  await page.screenshot({ path: test.info().outputPath("phone.png") });
  await press(page, "Send");
  await expect(page.locator(".es-thanks")).toBeVisible();
  expect(shop.posted[0].data).toEqual({ phone: "+48512345678" });
});

for (const [about, more, lang, rows] of [
  ["in the words and the order of the form's language", {}, "pl", ["Niemcy +49", "Polska +48", "*Ukraina +380"]],
  ["after a code to be typed where none is chosen", { region: undefined }, "en", ["*+", "Germany +49", "Poland +48", "Ukraine +380"]],
  ["by their codes where the browser knows no such language", {}, "x_", ["DE +49", "PL +48", "*UA +380"]],
  ["only if there is a choice", { regions: ["UA"] }, "en", []],
])
  test(`countries are listed ${about}`, async ({ page, shop }) => {
    const change = (view) => {
      Object.assign(view.fields[0], more);
      return { ...view, lang };
    };
    await shop.open("call.en", { change });
    await shop.touch("Phone");
    const listed = page.locator(".es-country option").evaluateAll((options) =>
      options.map(({ selected, text }) => (selected ? "*" : "") + text),
    );
    expect(await listed).toEqual(rows);
  });

test("pages come one after the other, and a second step after the first is in", async ({ page, shop }) => {
  await shop.open("long.en");
  await shop.touch("First name");
  await expect(page.getByLabel("Email")).toBeHidden();
  await press(page, "Next");
  await expect(page.getByLabel("First name")).toBeFocused();
  await page.getByLabel("First name").fill("Anna");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Email")).toBeFocused();
  await expect(page.getByLabel("First name")).toBeHidden();
  await page.screenshot({ path: test.info().outputPath("page.png") });
  await press(page, "Back");
  await expect(page.getByLabel("First name")).toHaveValue("Anna");
  await press(page, "Next");
  await page.getByLabel("Email").fill("anna@shop.example");
  await page.getByLabel("Sales").check();
  shop.answers = [accepted({ next: { token: "bound" } }), accepted({ state: "stored" })];
  await press(page, "Subscribe");
  await expect(page.getByText("Tell us more")).toBeVisible();
  await expect(page.getByLabel("Women")).toBeFocused();
  await press(page, "Subscribe");
  await expect(page.getByText("Please fill this in.")).toBeVisible();
  await page.screenshot({ path: test.info().outputPath("second.png") });
  await page.getByLabel("Men", { exact: true }).check();
  await press(page, "Subscribe");
  await expect(page.getByText("SALE10")).toBeVisible();
  await expect(page.getByText("We have saved your details")).toBeVisible();
  await page.screenshot({ path: test.info().outputPath("thanks.png") });
  expect(shop.posted.map(({ token, step, data }) => ({ token, step, data }))).toEqual([
    {
      token: "t1",
      step: undefined,
      data: { firstName: "Anna", email: "anna@shop.example", subscriptions: ["weekly", "sales"] },
    },
    { token: "bound", step: 2, data: { email: "anna@shop.example", 12347: "m" } },
  ]);
});

test("a double click, and one on a slow network, send once", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await fillLetters(page);
  let answer;
  shop.answers = [new Promise((resolve) => (answer = resolve))];
  await page.getByRole("button", { name: "Subscribe" }).dblclick();
  await expect(page.getByText("Sending…")).toBeVisible();
  await press(page, "Subscribe");
  await page.getByLabel("Email").press("Enter");
  answer(accepted());
  await expect(page.locator(".es-thanks")).toBeVisible();
  expect(shop.posted).toHaveLength(1);
});

test("who submits before the widgets are there is not sent away", async ({ page, shop }) => {
  await shop.open("letters.en");
  await fillLetters(page);
  await press(page, "Subscribe");
  await expect(page.locator(".es-thanks")).toBeVisible();
  expect(shop.posted).toHaveLength(1);
  expect(shop.plain).toEqual([]);
});

test("what fails is told, and what was typed stays for another try", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await fillLetters(page);
  for (const [answer, words] of [
    [undefined, "There is no connection."],
    [refused(503, "unreachable"), "This did not work."],
    [{ status: 502, body: "<h1>Bad gateway" }, "This did not work."],
    [refused(429, "too_many"), "Too many attempts."],
    [refused(422, "email", "data.email"), "Please give an address"],
  ]) {
    shop.answers = [answer];
    await press(page, "Subscribe");
    await expect(page.getByText(words)).toBeVisible();
    await expect(page.getByLabel("Email")).toHaveValue("anna@shop.example");
  }
  await expect(page.getByLabel("Email")).toBeFocused();
  shop.answers = [accepted()];
  await press(page, "Subscribe");
  await expect(page.locator(".es-thanks")).toBeVisible();
  const tokens = shop.posted.map(({ token }) => token);
  expect(tokens).toEqual(["t1", "t2", "t3", "t4", "t4", "t4"]);
});

test("no token, no submission; the next try asks again", async ({ page, shop }) => {
  await shop.open("letters.en");
  shop.token = () => undefined;
  await shop.touch("Email");
  await fillLetters(page);
  await press(page, "Subscribe");
  await expect(page.getByText("There is no connection.")).toBeVisible();
  shop.token = () => json(200, { token: "late", expires_at: 1 });
  await press(page, "Subscribe");
  await expect(page.locator(".es-thanks")).toBeVisible();
  expect(shop.posted.map(({ token }) => token)).toEqual(["late"]);
});

test("what came too early goes again by itself, and an old token is renewed", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await fillLetters(page);
  shop.answers = [
    refused(403, "token_expired", "token"),
    refused(422, "try_again", "", { "retry-after": "1" }),
    accepted({ status: "ALREADY_SUBSCRIBED" }),
  ];
  await press(page, "Subscribe");
  await expect(page.getByText("You are subscribed already.")).toBeVisible();
  expect(shop.posted.map(({ token }) => token)).toEqual(["t1", "t2", "t2"]);
  expect((await shop.told()).map(([action]) => action)).toContain("FormAlreadySubscribe");
});

test("a form of the shop's own markup gets places for messages", async ({ page, shop }) => {
  const own = `<form data-es-form="letters">
    <label>Your mail <input name="email" type="email" aria-describedby="about"></label>
    <small id="about">We write once a week.</small>
    <label><input name="consent" type="checkbox"> Yes, write to me</label>
    <button>Go</button></form>`;
  await shop.open("letters.en", { own });
  await shop.touch("Your mail");
  await press(page, "Go");
  const email = page.getByLabel("Your mail");
  await expect(email).toHaveAccessibleDescription("We write once a week. Please fill this in.");
  await expect(email).toHaveAccessibleName("Your mail");
  await expect(page.getByRole("status").filter({ hasText: "Please check" })).toBeVisible();
  await expect(page.getByText("Please fill this in.")).toHaveAttribute("dir", "auto");
  await page.screenshot({ path: test.info().outputPath("own.png") });
  await email.fill("anna@shop.example");
  await page.getByLabel("Yes, write to me").check();
  await press(page, "Go");
  await expect(page.getByText("Check your mail")).toBeVisible();
  await expect(page.locator(".es-thanks")).toBeFocused();
  await expect(email).toBeHidden();
  expect(shop.posted[0].data).toEqual({ email: "anna@shop.example", consent: "1" });
});

test("an input in a label of the shop's own keeps it, whatever comes beside", async ({ page, shop }) => {
  const own = `<form data-es-form="call"><label>Your number <input name="phone" type="tel"></label>
    <button>Go</button></form>`;
  await shop.open("call.en", { own });
  await shop.touch("Your number");
  const phone = page.getByRole("textbox");
  await expect(phone).toHaveAccessibleName("Your number");
  await expect(page.getByRole("combobox")).toHaveAccessibleName("Country code");
  await phone.fill("1");
  await page.keyboard.press("Tab");
  await expect(phone).toHaveAccessibleDescription("This number is too short.");
  await expect(phone).toHaveAccessibleName("Your number");
});

test("what a program writes into a field that the shop's own markup hides goes along", async ({ page, shop }) => {
  const own = `<form data-es-form="letters">
    <label>Your mail <input name="email" type="email"></label>
    <label><input name="consent" type="checkbox"> Yes, write to me</label>
    <p class="es-more" aria-hidden="true"><input name="company_site" tabindex="-1" autocomplete="off"></p>
    <button>Go</button></form>`;
  await shop.open("letters.en", { own });
  await shop.touch("Your mail");
  await page.getByLabel("Your mail").fill("anna@shop.example");
  await page.getByLabel("Yes, write to me").check();
  await page.locator("[name=company_site]").evaluate((input) => (input.value = "https://spam.example"));
  await press(page, "Go");
  await expect(page.getByText("Check your mail")).toBeVisible();
  expect(shop.posted[0].data).toEqual({
    email: "anna@shop.example", consent: "1", company_site: "https://spam.example",
  });
});

for (const [name, options] of [
  ["the page's policy forbids wasm", { policy: "script-src 'self' 'nonce-n'; connect-src 'self'" }],
  ["the module is blocked", { block: ".wasm" }],
  ["the script is blocked", { block: ".js" }],
])
  test(`where ${name}, the plain form is sent`, async ({ page, shop }) => {
    await shop.open("letters.en", options);
    await page.getByLabel("Email").focus();
    await page.waitForFunction(() => window.state == "plain");
    await fillLetters(page);
    await press(page, "Subscribe");
    await expect(page).toHaveTitle("Confirm");
    expect(shop.posted).toEqual([]);
    expect(Object.fromEntries(shop.plain[0])).toMatchObject({ email: "anna@shop.example", consent: "1" });
  });

test("under a strict policy that lets wasm run, nothing more is asked for", async ({ page, shop }) => {
  const policy =
    "default-src 'none'; script-src 'self' 'nonce-n' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'nonce-n'; form-action 'self'";
  const broken = [];
  page.on("console", (message) => message.type() == "error" && broken.push(message.text()));
  await shop.open("long.en", { policy });
  await shop.touch("First name");
  await page.getByLabel("First name").fill("Anna");
  await press(page, "Next");
  await expect(page.getByLabel("Email")).toBeFocused();
  await expect(page.getByLabel("First name")).toBeHidden();
  expect(broken).toEqual([]);
});

test("wrapped fetches that misbehave leave the form alive", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await fillLetters(page);
  await page.evaluate(() => {
    const original = window.fetch;
    const ways = [
      () => Promise.reject("a string"),
      () => Promise.reject(),
      () => Promise.reject(new TypeError("Failed to fetch")),
      () => {
        throw "at once";
      },
      () => 7,
      () => Promise.resolve(null),
      () => Promise.resolve({}),
    ];
    window.fetch = (...rest) => {
      const way = ways.shift();
      return way ? way() : original(...rest);
    };
    window.left = () => ways.length;
  });
  while (await page.evaluate(() => window.left())) {
    await press(page, "Subscribe");
    await expect(page.getByText("There is no connection.")).toBeVisible();
  }
  await press(page, "Subscribe");
  await expect(page.locator(".es-thanks")).toBeVisible();
});

test("a challenge is shown at the first touch and its token goes along; then the person moves on", async ({ page, shop }) => {
  await shop.open("guarded.en");
  await page.route("https://challenges.cloudflare.com/**", (route) =>
    route.fulfill({
      contentType: "text/javascript",
      body: `window.turnstile = {
        render: (place, options) => {
          window.options = { ...options };
          place.textContent = "challenge";
          return "w1";
        },
        reset: (widget) => (window.renewed = widget),
      };`,
    }),
  );
  expect(await page.locator("script[src*=cloudflare]").count()).toBe(0);
  await shop.touch("Email");
  await page.waitForFunction(() => window.options);
  expect(await page.evaluate(() => JSON.stringify(window.options))).toBe(
    JSON.stringify({
      sitekey: "1x00000000000000000000AA",
      action: "form-guarded",
      language: "en",
      size: "flexible",
      "response-field": false,
    }),
  );
  await page.getByLabel("Email").fill("anna@shop.example");
  await press(page, "Subscribe");
  await expect(page.getByText("Please confirm that you are a person.")).toBeVisible();
  shop.answers = [refused(403, "turnstile_failed", "turnstile"), accepted()];
  await page.evaluate(() => options.callback("first"));
  await page.waitForFunction(() => window.renewed == "w1");
  await page.evaluate(() => options.callback("second"));
  await press(page, "Subscribe");
  await expect(page).toHaveURL(ORIGIN + "/thanks");
  expect(shop.posted.map(({ turnstile }) => turnstile)).toEqual(["first", "second"]);
});

test("a challenge fits into the smallest window, and a browser that it cannot run in is told", async ({ page, shop }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await shop.open("guarded.en");
  await page.route("https://challenges.cloudflare.com/**", (route) =>
    route.fulfill({
      contentType: "text/javascript",
      body: `window.turnstile = { render: (place, options) => ((window.options = options), "w1"), reset() {} };`,
    }),
  );
  await shop.touch("Email");
  await page.waitForFunction(() => window.options);
  expect(await page.evaluate(() => options.size)).toBe("compact");
  await page.getByLabel("Email").fill("anna@shop.example");
  await press(page, "Subscribe");
  // It says that it has dealt with it, or Cloudflare's script would warn.
  expect(await page.evaluate(() => options["unsupported-callback"]())).toBe(true);
  expect(await shop.told()).toContainEqual(["FormErrorSubscribe", "challenge"]);
  expect(shop.posted).toEqual([]);
});

test("a script of Cloudflare's that the shop has for itself is not fetched again", async ({ page, shop }) => {
  let fetched = 0;
  await shop.open("guarded.en");
  await page.route("https://challenges.cloudflare.com/**", (route) => (fetched++, route.abort()));
  await page.evaluate(() => {
    window.turnstile = { render: (place, options) => ((window.options = options), "w1"), reset() {} };
  });
  await shop.touch("Email");
  await page.waitForFunction(() => window.options);
  expect(fetched).toBe(0);
});

test("where the challenge cannot come, a person is told, and what was typed stays", async ({ page, shop }) => {
  await page.clock.install();
  await shop.open("guarded.en");
  await page.route("https://challenges.cloudflare.com/**", (route) => route.abort());
  await shop.touch("Email");
  await page.getByLabel("Email").fill("anna@shop.example");
  await press(page, "Subscribe");
  await expect(page.getByText("Please confirm that you are a person.")).toBeVisible();
  await expect(async () => {
    await page.clock.runFor(1000);
    expect(await shop.told()).toContainEqual(["FormErrorSubscribe", "challenge"]);
  }).toPass();
  await expect(page.getByLabel("Email")).toHaveValue("anna@shop.example");
  expect(shop.posted).toEqual([]);
});

test("from right to left", async ({ page, shop }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await shop.open("letters.ar");
  await shop.touch("البريد الإلكتروني");
  await press(page, "اشترك");
  await expect(page.getByLabel("البريد الإلكتروني")).toBeFocused();
  // The form has no words of its own for this: it runs its own way, and begins where the form does.
  const message = page.getByText("Please fill this in.");
  await expect(message).toHaveCSS("direction", "ltr");
  await expect(message).toHaveCSS("text-align", "right");
  await page.screenshot({ path: test.info().outputPath("rtl.png") });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(320);
});

test("an old message goes before a screen reader could say it twice", async ({ page, shop }) => {
  await shop.open("letters.en");
  await shop.touch("Email");
  await press(page, "Subscribe");
  await fillLetters(page);
  await expect(page.locator("form > .es-status")).toHaveText("");
});
