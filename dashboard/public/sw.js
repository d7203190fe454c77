// Starts the dashboard without the network: keeps its shell and the files it is made of, and nothing of the gateway's answers. The page is asked for anew
// each time, so that a new gateway brings its own dashboard at the next load; the kept one answers only when nobody else does.

const kept = "dashboard-1";
const shell = ["/", "/theme.js", "/icon.svg", "/manifest.webmanifest"];
// What the gateway says itself: never kept, never stood in for.
const live = /^\/(?:api|ota|docs|problems|metrics|health|ready)(?:\/|$)/;
const anyhow = { ignoreVary: true }; // A file is the same whatever headers it was asked for with.
// How long the page is waited for before the kept one is shown, milliseconds.
const patience = 4000;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(shell)));
});

addEventListener("activate", (event) => {
  const others = caches.keys().then((names) => Promise.all(names.filter((name) => name !== kept).map((name) => caches.delete(name))));
  event.waitUntil(others.then(() => clients.claim()));
});

// The first visit loads its files before there is a worker: the page names them afterwards.
addEventListener("message", (event) => {
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(event.data)));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || live.test(pathname)) return;
  if (pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (shell.includes(pathname)) event.respondWith(fresh(request, pathname));
  else if (request.mode === "navigate") event.respondWith(fresh(request, "/"));
});

async function asset(request) {
  const cache = await caches.open(kept);
  const known = await cache.match(request, anyhow);
  const response = known ?? (await fetch(request));
  if (!known && response.ok) await cache.put(request, response.clone());
  return response;
}

async function fresh(request, key) {
  const cache = await caches.open(kept);
  const known = await cache.match(key, anyhow);
  const response = await fetch(request, known && { signal: AbortSignal.timeout(patience) }).catch(Response.error);
  if (known && (response.type === "error" || response.status >= 500)) return known;
  const fits = key !== "/" || response.headers.get("content-type")?.startsWith("text/html");
  if (response.ok && fits) await renew(cache, key, known, response.clone());
  return response;
}

// Another page is made of other files: the old ones go with it.
async function renew(cache, key, known, response) {
  if (key === "/" && known && (await known.clone().text()) !== (await response.clone().text())) {
    for (const { url } of await cache.keys()) if (new URL(url).pathname.startsWith("/assets/")) await cache.delete(url, anyhow);
  }
  await cache.put(key, response);
}
