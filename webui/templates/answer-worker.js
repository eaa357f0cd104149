// Answers for /answer where no network does: with a shell that holds nothing personal, and nothing else.
"use strict";

const CACHE = "affect-answer-{{ version }}";
const SHELL = {{ shell | tojson }};
const FILES = {{ files | tojson }};
const PATIENCE_MS = 5000;

self.addEventListener("install", (event) => {
  const keep = async () => {
    const cache = await caches.open(CACHE);
    await cache.addAll([SHELL, ...FILES]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("affect-answer-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// Who answers while walking does not wait for a network that is hardly there.
const page = (request) => {
  const patience = new Promise((_, late) => setTimeout(late, PATIENCE_MS));
  // A proxy whose program is away says 502, 503 or 504: that is no network either.
  const asked = fetch(request).then((answer) => (answer.status >= 502 ? Promise.reject(answer) : answer));
  return Promise.race([asked, patience]).catch(() => caches.match(SHELL));
};

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.mode === "navigate" && /^\/answer(\/\d+)?$/.test(pathname)) {
    event.respondWith(page(event.request));
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
  }
});
