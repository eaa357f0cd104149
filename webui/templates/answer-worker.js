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

// A message has no content, so all that is shown is known here. Every one is shown: the browser demands it.
self.addEventListener("push", (event) => {
  const told = self.registration.showNotification({{ title | tojson }}, {
    body: {{ body | tojson }},
    icon: {{ files[0] | tojson }},
    lang: {{ language() | tojson }},
    tag: "question", // a newer one takes the place of the one before
    renotify: true,
  });
  event.waitUntil(told.then(ended));
});

// What was on its way as somebody logged out elsewhere still comes once; nothing after it.
const ended = async () => {
  const options = { cache: "no-store", headers: { Accept: "application/json" } };
  const standing = await fetch({{ standing | tojson }}, options).then((answer) => answer.json()).catch(() => ({}));
  if (!standing.ended) return;
  const subscription = await self.registration.pushManager.getSubscription();
  if (subscription) await subscription.unsubscribe();
};

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const open = async () => {
    const windows = await self.clients.matchAll({ type: "window" });
    const there = windows.find((client) => new URL(client.url).pathname === {{ answer | tojson }});
    return there ? there.focus() : self.clients.openWindow({{ answer | tojson }});
  };
  event.waitUntil(open());
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin) return;
  if (event.request.mode === "navigate" && /^\/answer(\/\d+)?$/.test(pathname)) {
    event.respondWith(page(event.request));
  } else if (FILES.includes(pathname)) {
    event.respondWith(caches.match(event.request).then((kept) => kept || fetch(event.request)));
  }
});
