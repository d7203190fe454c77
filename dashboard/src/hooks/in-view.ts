// Whether an element is on the screen or about to be, so that a long page draws only what can be seen. One observer for all of them.

import { useCallback, useState } from "react";

const watchers = new Map<Element, (isInView: boolean) => void>();
let observer: IntersectionObserver | null = null;

function watch(element: Element, watcher: (isInView: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) watchers.get(target)?.(isIntersecting);
    },
    // Half a screen ahead: what is scrolled to is there already.
    { rootMargin: "50% 0px" },
  );
  watchers.set(element, watcher);
  observer.observe(element);
  return () => {
    watchers.delete(element);
    observer?.unobserve(element);
  };
}

export function useInView(): [ref: (element: Element | null) => (() => void) | undefined, isInView: boolean] {
  const [isInView, setInView] = useState(false);
  const ref = useCallback((element: Element | null) => (element ? watch(element, setInView) : undefined), []);
  return [ref, isInView];
}
