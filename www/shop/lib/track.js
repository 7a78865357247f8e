/**
 * The one door between the shop and the kit. A visitor may block the kit, and then the shop must sell
 * as before: every call goes through here, and here alone its absence is noticed.
 */

/** Whether the page has a kit to talk to. */
export const hasKit = () => typeof window.eS === 'function';

/** Calls `eS`, if there is one. */
export function track(...call) {
  if (!hasKit()) return;
  try {
    window.eS(...call);
  } catch {
    // The kit never throws, but a blocker's substitute might, and no order may fail because of that.
  }
}

// The shop reports its own events; configured recommendation blocks stay on.
track('init', { TRACKING: false, RECOMS: true });
