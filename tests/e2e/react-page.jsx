// A page of a shop that uses React. The tests say what is on it, by `page(…)`.
import { StrictMode, useEffect, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

import { EsForm } from "../../www/react.js";

window.told = [];
window.mistakes = [];

/** A form of the shop's own, whose inputs have what the shop's state holds, and nothing else. */
const Own = ({ form }) => {
  const [email, setEmail] = useState("");
  const [phone, setPhone] = useState("");
  return (
    <form data-es-form={form}>
      <label>
        Email <input name="email" type="email" value={email} onChange={({ target }) => setEmail(target.value)} />
      </label>
      <label>
        Phone <input name="phone" type="tel" value={phone} onChange={({ target }) => setPhone(target.value)} />
      </label>
      <button>Send</button>
      <output>{JSON.stringify({ email, phone })}</output>
    </form>
  );
};

const Page = ({ first }) => {
  const [shown, setShown] = useState(first);
  useEffect(() => {
    window.page = setShown;
  }, []);
  const { own, ...place } = shown;
  const hear = ({ action, form }) => told.push(action + " " + form);
  return (
    <main>
      <h1>A shop</h1>
      {place.form && (
        <EsForm {...place} className="letters" onAction={hear}>
          Our letters.
        </EsForm>
      )}
      {own && <Own form={own} />}
    </main>
  );
};

const app = (
  <StrictMode>
    <Page first={window.first ?? {}} />
  </StrictMode>
);
const root = document.querySelector("#root");
const onRecoverableError = (error) => mistakes.push(String(error));
if (root.hasChildNodes()) hydrateRoot(root, app, { onRecoverableError });
else createRoot(root, { onRecoverableError }).render(app);
