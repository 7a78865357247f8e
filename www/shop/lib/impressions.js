/** Reports recommended products once they have really been seen. */

import { sendImpressions } from './events.js';

/** Cards that come into view together go in one event. */
const TOGETHER = 400;

/**
 * Each of `products` is reported once, when at least half of its element, at the same place of `elements`,
 * is in the viewport of a visible page.
 */
export function watchImpressions(products, elements, signal) {
  const waiting = new Map(elements.map((element, index) => [element, products[index]]));
  const inView = new Set();
  let timer;
  const report = () => {
    timer = undefined;
    const seen = [...inView].filter((element) => waiting.has(element));
    if (document.visibilityState !== 'visible' || seen.length === 0) return;
    const reported = seen.map((element) => waiting.get(element));
    for (const element of seen) {
      waiting.delete(element);
      observer.unobserve(element);
    }
    sendImpressions(reported);
  };
  const soon = () => {
    timer ??= setTimeout(report, TOGETHER);
  };
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inView.add(target);
      else inView.delete(target);
    }
    if (inView.size > 0) soon();
  }, { threshold: 0.5 });
  for (const element of elements) observer.observe(element);
  document.addEventListener('visibilitychange', soon, { signal });
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    observer.disconnect();
  });
}
