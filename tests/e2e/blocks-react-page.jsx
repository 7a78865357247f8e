// A page of a shop that uses React. The tests say what is on it, by `page(…)`.
import { StrictMode, useEffect, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";

import { Recommendations } from "../../www/react.js";

window.told = [];
window.mistakes = [];

const Card = ({ item, count, add }) => (
  <li data-es-product={item.product_id} data-es-block={item.container_type} data-es-price={item.price_value}>
    <a href={item.url}>{item.name}</a> <button onClick={add}>Pressed {count} times</button>
    <button data-es-buy="">Buy</button>
  </li>
);

export const Page = ({ first }) => {
  const [shown, setShown] = useState(first);
  const [count, setCount] = useState(0);
  useEffect(() => {
    window.page = setShown;
  }, []);
  const { isOwn, ...place } = shown;
  const add = () => setCount((count) => count + 1);
  const render = (items, { header }) => (
    <section>
      <h2>{header}</h2>
      <ul>
        {items.map((item) => (
          <Card key={item.product_id} item={item} count={count} add={add} />
        ))}
      </ul>
    </section>
  );
  return (
    <main>
      <h1>A shop</h1>
      {place.variant && (
        <Recommendations
          {...place}
          className="shelf"
          render={isOwn && render}
          onAction={({ action, variant }) => told.push(action + " " + variant)}
          onBuy={({ product_id }) => told.push("buy " + product_id)}
        >
          <p className="ours">Our favourites</p>
        </Recommendations>
      )}
    </main>
  );
};

if (typeof document != "undefined") {
  const app = (
    <StrictMode>
      <Page first={window.first ?? {}} />
    </StrictMode>
  );
  const root = document.querySelector("#root");
  const onRecoverableError = (error) => mistakes.push(String(error));
  if (root.hasChildNodes()) hydrateRoot(root, app, { onRecoverableError });
  else createRoot(root, { onRecoverableError }).render(app);
}
