// What the shop tells the kit. Without the kit it does nothing, which is the baseline.

/** The calls of the benchmark in turn: a product that is looked at, a cart that has changed. */
const callOf = (count) => {
  if (count % 2 == 0) {
    const tags = { tag_season: ["spring", "summer"], tag_brand: ["Polonyna"] };
    const product = { productKey: "tent-2p", price: "4990", isInStock: 1, ...tags };
    return ["sendEvent", "ProductPage", { ProductPage: product }];
  }
  const lines = ["tent-2p", "mat-air", "bag-down"].map((productKey, index) => ({
    productKey,
    price: String(4990 - index * 1310),
    quantity: String(1 + (count % 5)),
    currency: "UAH",
  }));
  return ["sendEvent", "StatusCart", { StatusCart: lines, GUID: crypto.randomUUID() }];
};

if (window.eS) eS(...callOf(0));
