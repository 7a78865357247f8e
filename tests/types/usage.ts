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
