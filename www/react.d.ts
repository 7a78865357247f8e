/// <reference path="kit.d.ts" />
import type { HTMLAttributes, ReactElement, ReactNode } from "react";

/** What a form as a React component takes; all else goes to the element. */
export interface EsFormProps extends HTMLAttributes<HTMLElement> {
  /** The form's id. */
  form: string;
  /** Its language; that of the page if left out. */
  lang?: string;
  /** Hears what happens with it. */
  onAction?: (detail: EsFormDetail) => void;
}

/** A form of the site's. */
export declare const EsForm: (props: EsFormProps) => ReactElement;

/** What a block of recommendations as a React component takes; all else goes to the element. */
export interface RecommendationsProps extends HTMLAttributes<HTMLElement> {
  /** The variant, or the name of a test of variants. */
  variant: string;
  /** The product that the page is about. */
  product?: string;
  /** Products that it is about, for instance those in the cart. */
  products?: string | string[];
  /** The category that the page is about, as the feed names it. */
  category?: string;
  /** The field of the feed that holds the category. */
  categoryField?: string;
  filters?: EsFilters;
  /** "grid", "carousel", or the selector of a `<template>` of the shop's. */
  template?: "grid" | "carousel" | `#${string}`;
  /** Its language; that of the page if left out. */
  lang?: string;
  /** Draws it with the shop's own components; mark cards with `data-es-product` and `data-es-block`. */
  render?: (items: EsItem[], answer: EsAnswer) => ReactNode;
  /** Hears what becomes of it. */
  onAction?: (detail: EsRecommendationsDetail) => void;
  /** Puts a product into the cart. */
  onBuy?: (detail: EsBuyDetail) => void;
}

/** A block of recommendations; its children show where there is none. */
export declare const Recommendations: (props: RecommendationsProps) => ReactElement;
