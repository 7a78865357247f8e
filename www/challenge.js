// The challenge that tells people from programs: Cloudflare's Turnstile.

const SCRIPT = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

/**
 * Makes what shows challenges in one form: one in `place`, or another in place of the one before. `passed` gets a
 * token each time one is passed, and nothing when it fails or what it gave is good no longer.
 */
export const challenger = () => {
  let shown;
  return async (place, sitekey, action, language, passed) => {
    // What they are called with is a code, and no token.
    const lost = () => passed();
    try {
      if (shown) return window.turnstile.reset(shown[0]);
    } catch {}
    shown = 0;
    if (!document.querySelector(`script[src="${SCRIPT}"]`)) {
      const script = document.createElement("script");
      script.src = SCRIPT;
      document.documentElement.append(script);
    }
    // After ten seconds it counts as blocked.
    for (let looks = 0; !window.turnstile && looks < 100; looks++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    try {
      const widget = window.turnstile.render(place, {
        sitekey,
        action,
        language,
        size: "flexible",
        // The token goes with the submission, not as a field of its own.
        "response-field": false,
        callback: passed,
        "error-callback": lost,
        "expired-callback": lost,
      });
      shown = [widget];
    } catch {
      lost();
    }
  };
};
