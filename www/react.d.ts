/// <reference path="kit.d.ts" />
import type { HTMLAttributes, ReactElement } from "react";

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
