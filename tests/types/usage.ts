// Calls as shops make them, and calls that must not compile.

eS("init", { TRACKING: false, RECOMS: true });
eS("sendEvent", "MainPage");
eS("sendEvent", "PageView", { PageView: {} });
eS("sendEvent", "ProductPage", {
  ProductPage: { productKey: "24-MB02", price: "153", isInStock: 1, tag_color: ["red"] },
  GeneralInfo: { user_email: "example@email.com", user_es_contact_id: 100500 },
});
eS("sendEvent", "StatusCart", {
  StatusCart: [{ productKey: "24-MB02", price: "153", quantity: "1", currency: "USD" }],
  GUID: "2b914e9c-43ee-bf41-6f80-b97db1e8ab7e",
});
eS("sendEvent", "StatusCart", { StatusCart: [] });
eS("sendEvent", "PurchasedItems", {
  OrderNumber: "123/2017",
  PurchasedItems: [{ productKey: "24-MB02", price: "153", quantity: "1" }],
  Tags: { blockId: ["19787_r119v224"] },
});
eS("sendEvent", "SearchRequest", { SearchRequest: { search: "tent", isFound: 0 } });
eS("sendEventWithTags", "CategoryPage", {
  CategoryPage: { Category: { categoryKey: "509876" }, Tags: { some_tags: ["gh", 2] } },
});
eS("sendEventWithTags", "PurchasedItems", {
  PurchasedItems: {
    Products: [{ product_id: "430738", unit_price: "201.95", quantity: 1 }],
    OrderNumber: "123/2017",
  },
});
eS("consent", "grant");
eS("consent", { tracking: true, push: false });
eS("identify", { externalCustomerId: "1234509876" });
eS("reset");
eS("orderSubmitted");
eS("forget");
eS("debug", true);
eS("on", "delivered", ({ id }) => id.toUpperCase());
eS("on", "refused", ({ code, field, message }) => [code, field?.length, message?.length]);
eS("on", "consent", ({ choice }) => choice?.tracking);
eS("on", "*", (report) => report.type);
window.eS("sendEvent", "NotFound");
eS("addContact", { email: "ann@shop.example", 12345: "38" }, (error) => error?.code);
eS("addContact", { firstName: "Ann", proof: "signed" });
eS("addOrder", { externalOrderId: 1001, status: "INITIALIZED", items: [], proof: "signed" });
eS("generateEvent", { eventTypeKey: "callRequested", params: { phone: "380501234567" } });
eS("getToken", { proof: "signed" }, (error, result) => error?.message ?? result?.token);
eS("showForm", "news");
eS("getRecommendations", { variantId: "r554v778" }, (error, products) => error ?? products?.[0].url);
eS("getRecommendations", {
  variantId: "r362v614",
  productIds: ["123", 543534],
  categoryKey: "Tents",
  categoryField: "tags_all_category_names",
  allFields: true,
  filters: { include: [{ name: "city", values: ["Kiev", "Kharkiv"] }], should: [] },
});
esRecommendations
  .get({ variantId: "r1v2", productId: 7 })
  .then(([first]) => first.product_id + first.container_type?.length);
esRecommendations.render("r1v2", (items, place, { header }) => {
  place.append(header, ...items.map(({ name, price, fields }) => name + price + fields.season));
});
esRecommendations.render("r1v2");
window.esRecommendations?.refresh("r1v2");
document.querySelector("es-recommendations")!.render = ([item]) => item.in_stock == 1;
document.addEventListener("es:buy", ({ detail }) => detail.product_id + detail.price);
document.addEventListener("es:recommendations", ({ detail }) =>
  detail.action == "failed" ? detail.code : detail.source == "bestsellers",
);
document.addEventListener("es:form", ({ detail }) => detail.action == "FormFinish" && detail.form);

// @ts-expect-error: the platform has no such event
eS("sendEvent", "ProductViewed");
// @ts-expect-error: a product page needs its product
eS("sendEvent", "ProductPage");
// @ts-expect-error: the key is required
eS("sendEvent", "ProductPage", { ProductPage: { price: "153" } });
// @ts-expect-error: tags hold lists
eS("sendEvent", "CategoryPage", { CategoryPage: { categoryKey: "1" }, Tags: { a: "b" } });
// @ts-expect-error: the plain form has no Products
eS("sendEvent", "StatusCart", { StatusCart: { Products: [] } });
// @ts-expect-error: a purchase needs its number
eS("sendEventWithTags", "PurchasedItems", { PurchasedItems: {} });
// @ts-expect-error: a choice is one of two words, or purposes
eS("consent", "maybe");
// @ts-expect-error: no such purpose
eS("consent", { marketing: true });
// @ts-expect-error: nothing is called so
eS("on", "arrived", () => {});
// @ts-expect-error: an order needs a proof
eS("addOrder", { externalOrderId: 1001, status: "INITIALIZED" });
// @ts-expect-error: which form?
eS("showForm");
// @ts-expect-error: no such command
eS("track", "ProductPage");
// @ts-expect-error: which variant?
eS("getRecommendations", { productId: "1" });
// @ts-expect-error: filters are named lists
eS("getRecommendations", { variantId: "r1v1", filters: { include: { city: ["Kiev"] } } });
// @ts-expect-error: the old form's error is a text
eS("getRecommendations", { variantId: "r1v1" }, (error) => error?.code);
// @ts-expect-error: there is no such source
document.addEventListener("es:recommendations", ({ detail }) => detail.source == "cache");
