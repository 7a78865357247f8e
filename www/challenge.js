// The challenge that tells people from programs: Cloudflare's Turnstile.

const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js";

/**
 * Makes what shows challenges in one form: one in `place`, or another in place of the one before. `passed` gets a
 * token each time one is passed, and nothing when it fails or what it gave is good no longer.
 */
export const challenger = () => {
  let shown;
  return async (place, sitekey, action, language, passed) => {
    // What they are called with is a code, and no token.
    const lost = () => {
      passed();
      // It is dealt with here: Cloudflare's script need not warn of it.
      return true;
    };
    try {
      if (shown) return window.turnstile.reset(shown[0]);
    } catch {}
    shown = 0;
    // The shop may have it for forms of its own; it must not run twice.
    if (!window.turnstile && !document.querySelector(`script[src^="${SCRIPT}"]`)) {
      const script = document.createElement("script");
      script.src = SCRIPT + "?render=explicit";
      const trusted = document.querySelector("script[nonce]");
      if (trusted) script.nonce = trusted.nonce;
      document.documentElement.append(script);
    }
    // After ten seconds it counts as blocked.
    for (let looks = 0; !window.turnstile && looks < 100; looks++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    try {
      // It may stand on a page of the form that is not in view yet.
      const room = place.clientWidth || place.closest("form").clientWidth - 58;
      const widget = window.turnstile.render(place, {
        sitekey,
        action,
        language,
        // Of the other sizes none is narrower than 300 pixels.
        size: room < 300 ? "compact" : "flexible",
        // The token goes with the submission, not as a field of its own.
        "response-field": false,
        callback: passed,
        "error-callback": lost,
        "expired-callback": lost,
        "unsupported-callback": lost,
      });
      if (widget == null) lost();
      else shown = [widget];
    } catch {
      lost();
    }
  };
};
