// The component of recommendations as shops write it, and what must not compile.
import { Recommendations } from "../../www/react.js";

<Recommendations variant="r12v34" />;
<Recommendations
  variant="home"
  product="24-MB02"
  products={["a", "b"]}
  category="Tents"
  categoryField="tags_all_category_names"
  filters={{ exclude: [{ name: "tags_season", values: ["winter"] }] }}
  template="carousel"
  lang="uk"
  className="shelf"
  style={{ display: "block", minHeight: 480 }}
  onAction={(detail) => detail.action == "failed" && detail.code}
  onBuy={({ product_id, price }) => product_id + price}
>
  <p>Our favourites</p>
</Recommendations>;
<Recommendations variant="r12v34" template="#card" products="a,b" />;
<Recommendations
  variant="r12v34"
  render={(items, { header }) => (
    <ul aria-label={header}>
      {items.map(({ product_id, container_type, name }) => (
        <li key={product_id} data-es-product={product_id} data-es-block={container_type}>
          {name}
        </li>
      ))}
    </ul>
  )}
/>;

// @ts-expect-error: which variant?
<Recommendations product="1" />;
// @ts-expect-error: there is no such template
<Recommendations variant="r12v34" template="list" />;
// @ts-expect-error: a product may have no picture
<Recommendations variant="r12v34" render={([{ image }]) => image.trim()} />;
