// What a wall screen needs of the browser: a screen that stays on, and a cursor that goes when nobody moves it.

/** Keeps the screen on while the page is seen, where the browser lets a page do so. The answer ends it. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  let isOver = false;
  const ask = async () => {
    if (!("wakeLock" in navigator) || document.visibilityState !== "visible") return;
    try {
      const held = await navigator.wakeLock.request("screen");
      if (isOver) await held.release();
      else lock = held;
    } catch {
      // A low battery, or a browser that says no: the screen keeps its own rules.
    }
  };
  const again = () => void ask();
  // A hidden page loses its lock.
  document.addEventListener("visibilitychange", again);
  again();
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", again);
    void lock?.release();
  };
}

const idleAfter = 5000;

/** Marks the page as idle once no pointer has moved for five seconds; its style hides the cursor then. The answer ends it. */
export function hideIdleCursor(): () => void {
  const { dataset } = document.documentElement;
  let timer: ReturnType<typeof setTimeout>;
  const stir = () => {
    delete dataset["idle"];
    clearTimeout(timer);
    timer = setTimeout(() => {
      dataset["idle"] = "";
    }, idleAfter);
  };
  addEventListener("pointermove", stir);
  stir();
  return () => {
    removeEventListener("pointermove", stir);
    clearTimeout(timer);
    delete dataset["idle"];
  };
}
