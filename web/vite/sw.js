// Keeps the shell with its hashed chunks, so that the page opens without a network and shows its last
// state, marked as such. Nothing that was answered to somebody who is signed in is ever kept here.
const BUILD = "__BUILD__";
const FILES = __FILES__;
const NAME = `fondaco-${BUILD}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

// A notice that came by push. The browser wants something to be shown, whatever came.
self.addEventListener("push", (event) => {
  event.waitUntil(show(event.data));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.leads_to ?? ""));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/assets/") || url.pathname === "/icon.svg") event.respondWith(kept(request));
  else if (request.mode === "navigate" && url.pathname === "/") event.respondWith(fresh(request));
});

// Hashed files never change: what is kept is right for ever.
async function kept(request) {
  const cache = await caches.open(NAME);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

// The page itself is asked for anew, and shown as it was only where nobody answers.
async function fresh(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const found = await (await caches.open(NAME)).match("/");
    if (found) return found;
    throw error;
  }
}

async function show(data) {
  let said = {};
  try {
    said = data?.json() ?? {};
  } catch {
    // Not of this house: only that something came is shown.
  }
  const { id = "", title = "Fondaco", text = "", at, leads_to = "" } = said;
  const more = { icon: "/icon-192.png", tag: id, timestamp: at, data: { leads_to } };
  await self.registration.showNotification(title, { body: text.split("\n\n-- \n")[0], ...more });
  for (const page of await self.clients.matchAll({ type: "window" })) page.postMessage("notice");
}

// In the page that is open, else in a new one; the page knows where each thing is shown.
async function open(leads_to) {
  const there = leads_to ? `/#/notices/to/${encodeURIComponent(leads_to)}` : "/#/notices";
  const [page] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!page) return self.clients.openWindow(there);
  page.postMessage({ go: there.slice(1) });
  return page.focus();
}
