/**
 * Types of esputnik-kit on a page: the platform's own commands, and the kit's.
 *
 * Reference it where your shop's code calls `eS`: `/// <reference path="kit.d.ts" />`.
 * Nothing called through `eS` throws; what is refused says why through `eS("on", "refused", …)`.
 */

/** Text, or a number that is written as text. */
type EsText = string | number;

/** 1 or 0; text and booleans are read too, with a warning. */
type EsFlag = 0 | 1 | "0" | "1" | boolean;

/** Each tag is a list of text. */
interface EsTags {
  [name: string]: EsText[];
}

/** Who the visitor is. What is passed once goes with every later event. */
interface EsGeneralInfo {
  /** The shop's own customer id. */
  externalCustomerId?: EsText | null;
  user_email?: string | null;
  /** International form, digits only. */
  user_phone?: EsText | null;
  user_name?: string | null;
  /** The contact's id at the platform. */
  user_es_contact_id?: EsText | null;
  /** The `sc_content` of a recommendation whose "Buy" puts the product straight into the cart. */
  s_location?: string;
}

/** What may stand beside any event's own key. */
interface EsCommon {
  GeneralInfo?: EsGeneralInfo;
}

interface EsProduct {
  /** Equals `g:id` of the product feed, and the key of the same product in all other events. */
  productKey: EsText;
  /** May carry a currency: `"754 USD"`. */
  price?: EsText;
  isInStock?: EsFlag;
  [tag: `tag_${string}`]: EsText[];
}

interface EsCartItem {
  productKey: EsText;
  price: EsText;
  /** A whole number. */
  quantity: EsText;
  currency?: string;
  price_currency_code?: string;
  discount?: EsText;
  [tag: `tag_${string}`]: EsText[];
}

interface EsPurchasedItem {
  product_id: EsText;
  unit_price: EsText;
  quantity: EsText;
  price_currency_code?: string;
}

interface EsImpression {
  product_id: EsText;
  /** As the recommendation's answer says it, for instance `1253_r963v1317`. */
  container_type: string;
}

interface EsCustomer {
  externalCustomerId?: EsText;
  user_email?: string;
  user_phone?: EsText;
  user_name?: string;
  user_client_id?: EsText;
  user_city?: string;
  user_tags_gender?: string;
}

/** The data of each event as `sendEvent` takes it. */
interface EsEvents {
  PageView: EsCommon & { PageView: Record<string, never> | EsCommon };
  MainPage: EsCommon | undefined;
  NotFound: EsCommon | undefined;
  StatusCartPage: EsCommon | undefined;
  ProductPage: EsCommon & { ProductPage: EsProduct; Tags?: EsTags };
  AddToWishlist: EsCommon & { AddToWishlist: EsProduct; Tags?: EsTags };
  CategoryPage: EsCommon & { CategoryPage: { categoryKey: EsText }; Tags?: EsTags };
  SearchRequest: EsCommon & { SearchRequest: { search: EsText; isFound?: EsFlag } };
  /** The whole cart after every change; an emptied cart is an empty list. */
  StatusCart: EsCommon & { StatusCart: EsCartItem[]; GUID?: string; Tags?: EsTags };
  PurchasedItems: EsCommon & {
    OrderNumber: EsText;
    PurchasedItems?: EsCartItem[];
    /** Left out, it is that of the cart that was ordered. */
    GUID?: string;
    Tags?: EsTags;
  };
  ProductImpressions: EsCommon & { ProductImpression: EsImpression[]; Tags?: EsTags };
  CustomerData: EsCommon & { CustomerData: EsCustomer };
}

/** The data of each event as `sendEventWithTags` takes it. */
interface EsEventsWithTags {
  ProductPage: EsCommon & { ProductPage: { Product: EsProduct; Tags?: EsTags } };
  AddToWishlist: EsCommon & { AddToWishlist: { Product: EsProduct; Tags?: EsTags } };
  CategoryPage: EsCommon & {
    CategoryPage: { Category: { categoryKey: EsText }; Tags?: EsTags };
  };
  SearchRequest: EsCommon & {
    SearchRequest: { search: EsText; isFound?: EsFlag; Tags?: EsTags };
  };
  StatusCart: EsCommon & {
    StatusCart: { GUID?: string; Products: EsCartItem[]; Tags?: EsTags };
  };
  PurchasedItems: EsCommon & {
    PurchasedItems: {
      OrderNumber: EsText;
      Products?: EsPurchasedItem[];
      GUID?: string;
      Tags?: EsTags;
    };
  };
  ProductImpression: EsCommon & {
    ProductImpression: { Products: EsImpression[]; Tags?: EsTags };
  };
}

/** Options of `init`. Those that the kit does not serve are reported by name as warnings. */
interface EsInitOptions {
  /** Of the platform's script: whether it tracks by itself. The kit sends what it is told. */
  TRACKING?: boolean;
  RECOMS?: boolean;
  APP_INBOX?: boolean;
}

/** What data may be used for. */
type EsPurpose = "tracking" | "forms" | "recommendations" | "push";

/** Something odd about an event that was taken all the same. */
interface EsProblem {
  /** A stable name; branch on this, never on the message. */
  code: string;
  /** Where it is: `StatusCart.Products[1].price`. */
  field?: string;
  message?: string;
}

/** What a listener hears. */
type EsReport =
  /** A call was recorded. */
  | { type: "queued"; id: string; at: number; call: unknown[] }
  /** Records left the page. */
  | { type: "sent"; ids: string[] }
  /** The Worker has stored it. */
  | { type: "accepted"; id: string; warnings?: EsProblem[] }
  /** The fact is known already: the same message, cart or order. */
  | ({ type: "duplicate"; id: string; warnings?: EsProblem[] } & EsProblem)
  /** It will not be sent; `code`, `field` and `message` say why. */
  | ({ type: "refused"; id?: string; call?: unknown[] } & EsProblem)
  /** The platform has it. */
  | { type: "delivered"; id: string }
  /** The platform refused it; the Worker keeps it for a replay. */
  | { type: "dead"; id: string; message?: string }
  /** The visitor's choice: null while there is none, left out where `forget` has erased it. */
  | { type: "consent"; choice?: Record<EsPurpose, boolean> | null }
  | ({ type: "warning" } & EsProblem)
  | { type: "debug"; on: boolean };

type EsReportOf<Name> = Name extends "*" ? EsReport : Extract<EsReport, { type: Name }>;

/** What went wrong with a call. */
interface EsError {
  /** A stable name; branch on this, never on the message. */
  code: string;
  /** Where it is: `data.email`. */
  field?: string;
  message?: string;
}

/** Hears how a call ended: an error, or nothing and the result. */
type EsCallback<Result> = (error: EsError | undefined, result?: Result) => void;

/** What pages may write of a contact, as far as the site's settings open it. */
interface EsContact {
  email?: string;
  phone?: string;
  firstName?: string;
  lastName?: string;
  languageCode?: string;
  timeZone?: string;
  town?: string;
  region?: string;
  address?: string;
  postcode?: string;
  /** Additional fields by their ids. */
  [id: number]: EsText;
  /** Who the visitor is, signed by the shop's back end. */
  proof?: string;
}

/** Opens or closes a form. */
type EsFormCommand = "showForm" | "closeForm";

/** What happens with a form; the names are the platform's own. */
type EsFormAction =
  | "LauncherShow"
  | "LauncherClick"
  | "FormShow"
  | "FormClose"
  | "FormButtonClick"
  | "FormClick"
  | "FormStartFilling"
  | "FormFinish"
  | "FormSuccessSubscribe"
  | "FormAlreadySubscribe"
  | "FormErrorSubscribe";

/** What an event `es:form` carries. */
interface EsFormDetail {
  action: EsFormAction;
  /** The form's id. */
  form: string;
}

/** What products a recommendation may have: strict, but for `should`, which only moves them up. */
interface EsFilters {
  /** Each of these names must have one of its values. */
  include?: EsFilter[];
  /** None of these names may have one of its values. */
  exclude?: EsFilter[];
  should?: EsFilter[];
}

interface EsFilter {
  /** A field of the product feed. */
  name: string;
  values: EsText[];
}

/** What is to be recommended. */
interface EsRecommendationsParams {
  /** The variant, `r12v34`, or the name of a test of variants. */
  variantId: string;
  /** The product that the page is about. */
  productId?: EsText;
  /** Products that it is about, for instance those in the cart. */
  productIds?: EsText[];
  /** The category that the page is about, as the feed names it. */
  categoryKey?: string;
  /** The field of the feed that holds the category. */
  categoryField?: string;
  /** Whether the feed's attributes come too. */
  allFields?: boolean;
  filters?: EsFilters;
  /** The language of names and prices; that of the page if left out. */
  lang?: string;
  /** Who the visitor is, signed by the shop's back end. */
  proof?: string;
}

/** A recommended product; with `allFields` the feed's attributes stand beside these. */
interface EsRecommended {
  product_id: string;
  /** Its page. Never change it: clicks are counted by what stands in it. */
  url: string;
  /** What its impressions are reported under; missing where the platform did not recommend it. */
  container_type?: string;
  [attribute: string]: unknown;
}

/** A recommended product as templates and functions of the shop's get it. */
interface EsItem {
  product_id: string;
  url: string;
  container_type?: string;
  name: string;
  /** As it is written in the block's language: `1 299,00 ₴`. */
  price?: string;
  /** Missing where the product was not dearer before. */
  old_price?: string;
  price_value?: number;
  currency?: string;
  image?: string;
  in_stock?: 0 | 1;
  /** By how many percent it is cheaper than before. */
  discount?: string;
  brand?: string;
  description?: string;
  /** All that the feed has of it. */
  fields: Record<string, unknown>;
}

/** What an answer says beside its products. */
interface EsAnswer {
  v: 1;
  /** The variant that was asked for, or that a test has chosen. */
  variant: string;
  /** Where the products come from; only those of `platform` and `last` are counted as its own. */
  source: "platform" | "last" | "bestsellers" | "feed";
  lang: string;
  dir: "ltr" | "rtl";
  header: string;
}

/** What an event `es:recommendations` carries. */
type EsRecommendationsDetail =
  | { action: "shown" | "empty"; variant: string; source: EsAnswer["source"] }
  /** `code` says why: that of the Worker, "unreachable", "template", or "place" for a selector without a match. */
  | { action: "failed"; variant: string; code: string; message: string };

/** What an event `es:buy` carries. The shop puts the product into its cart. */
interface EsBuyDetail {
  product_id: string;
  container_type?: string;
  /** A number as text. */
  price?: string;
}

/** What `blocks.js` offers to scripts of the page. */
interface EsRecommendations {
  /** Recommended products. It rejects with an `Error` that has a `code`; branch on this, never on the message. */
  get(params: EsRecommendationsParams): Promise<EsRecommended[]>;
  /** Lets a function of the shop's draw a variant's blocks into their places; `undefined` ends that. */
  render(
    variant: string,
    draw?: (items: EsItem[], place: HTMLElement, answer: EsAnswer) => void,
  ): void;
  /** A proof of who the visitor is, made by the shop's server; from then on it goes with every block. */
  proof: string | undefined;
  /** Asks anew: for all blocks, for those of a variant, or for one. */
  refresh(which?: string | HTMLElement): void;
}

/** The element of a block; its attributes are `variant`, `product`, `products` (with commas), `category`,
 *  `category-field`, `filters` (JSON), `template` and `lang`. */
interface EsRecommendationsElement extends HTMLElement {
  /** Draws this block, into what stands in the element with `slot="es"`. */
  render?: (items: EsItem[], place: HTMLElement, answer: EsAnswer) => void;
}

/** The platform's function, served by the kit. */
interface EsFunction {
  /** Starts the kit; a plain script tag does so by itself. */
  (command: "init", options?: EsInitOptions, inbox?: object): void;

  /** Records an event, its data under the event's own key. */
  <Name extends keyof EsEvents>(
    command: "sendEvent",
    name: Name,
    ...data: undefined extends EsEvents[Name] ? [EsEvents[Name]?] : [EsEvents[Name]]
  ): void;

  /** Records an event whose data is nested one level deeper, with tags. */
  <Name extends keyof EsEventsWithTags>(
    command: "sendEventWithTags",
    name: Name,
    data: EsEventsWithTags[Name],
  ): void;

  /** Says what the visitor allows. Nothing is stored or sent before. */
  (command: "consent", choice: "grant" | "deny" | Partial<Record<EsPurpose, boolean>>): void;

  /** Ties the visitor to a contact. */
  (command: "identify", who: EsCustomer): void;

  /** At log-out: the next visitor of this browser is somebody else. */
  (command: "reset"): void;

  /** When the order form is submitted: the purchase gets the GUID that the cart has now. */
  (command: "orderSubmitted"): void;

  /** Subscribes an address; with a proof, adds or updates the contact that it names. */
  (command: "addContact", data: EsContact, callback?: EsCallback<{ accepted: true }>): void;

  /** Sends an order of the visitor's; always needs a proof. */
  (
    command: "addOrder",
    data: { externalOrderId: EsText; status: string; proof: string; [member: string]: unknown },
    callback?: EsCallback<{ accepted: true }>,
  ): void;

  /** Makes an event of one of the shop's own types. */
  (
    command: "generateEvent",
    data: {
      eventTypeKey: string;
      keyValue?: string;
      params?: Record<string, unknown> | { name: string; value: unknown }[];
      proof?: string;
    },
    callback?: EsCallback<{ accepted: true }>,
  ): void;

  /** Gets the visitor's token for the inbox and for recommendations. */
  (
    command: "getToken",
    data: { kind?: "contact"; proof: string },
    callback: EsCallback<{ token: string }>,
  ): void;

  /** Gets recommended products; the error is a text, as the platform's own script gives it. */
  (
    command: "getRecommendations",
    params: EsRecommendationsParams,
    callback?: (error: string | null, products?: EsRecommended[]) => void,
  ): void;

  /** Opens or closes a form of the site's, whatever its rules say. */
  (command: EsFormCommand, form: string): void;

  /** Erases the web id, the queue, the choice, and what the Worker holds of this browser. */
  (command: "forget"): void;

  /** Opens or closes the debug panel, and explains everything in the console. */
  (command: "debug", on?: boolean): void;

  /** Calls `callback` for each report of that name, those before the call included, from soon after it on. */
  <Name extends EsReport["type"] | "*">(
    command: "on",
    name: Name,
    callback: (report: EsReportOf<Name>) => void,
  ): void;
}

declare var eS: EsFunction;

/** There once `blocks.js` has come. */
declare var esRecommendations: EsRecommendations;

interface Window {
  eS: EsFunction;
  esRecommendations?: EsRecommendations;
}

interface DocumentEventMap {
  "es:form": CustomEvent<EsFormDetail>;
  "es:recommendations": CustomEvent<EsRecommendationsDetail>;
  "es:buy": CustomEvent<EsBuyDetail>;
}

interface HTMLElementTagNameMap {
  "es-recommendations": EsRecommendationsElement;
}
