// Has the browser keep the dashboard's own files (public/sw.js), so that it starts without the network. Nothing of the gateway's answers is kept.

/**
 * Starts the worker once the page stands, and names to it the files that were loaded before. Browsers know workers on https and on this machine only; elsewhere
 * this does nothing.
 */
export function keepShell(): void {
  if (!isSecureContext || !("serviceWorker" in navigator)) return;
  if (document.readyState === "complete") void start();
  else addEventListener("load", () => void start(), { once: true });
}

async function start(): Promise<void> {
  try {
    await navigator.serviceWorker.register("/sw.js");
    const { active } = await navigator.serviceWorker.ready;
    const files = performance.getEntriesByType("resource").map(({ name }) => name);
    active?.postMessage(files.filter((file) => file.startsWith(`${location.origin}/assets/`)), []);
  } catch {
    // A browser that forbids workers shows the dashboard all the same.
  }
}
