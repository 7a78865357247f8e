// The kit's duties at a page's start without the kit: a visitor's id, an entry in the journal, one in
// the database, a worker, a request. What a browser takes for these is the least that any code takes.
(() => {
  if (!document.cookie) document.cookie = `sc=${crypto.randomUUID()};path=/;max-age=34560000`;
  const record = JSON.stringify({ sc: document.cookie, url: location.href, title: document.title });
  localStorage.floor = record;
  const open = indexedDB.open("floor", 1);
  open.onupgradeneeded = () => open.result.createObjectStore("records");
  open.onsuccess = () => {
    const records = open.result.transaction("records", "readwrite").objectStore("records");
    records.put(record, "floor");
    records.transaction.oncomplete = () => localStorage.removeItem("floor");
  };
  requestIdleCallback(() => new Worker("/idle.js").postMessage(record));
  setTimeout(() => fetch("/floor", { method: "POST", body: record, keepalive: true }), 300);
})();
