// State that lives in the address, so that a view can be linked, reloaded and stepped back from.

import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** What the address says, by name; null where it says nothing. */
type UrlState<Name extends string> = Readonly<Record<Name, string | null>>;

type SetUrlState<Name extends string> = (changes: Partial<UrlState<Name>>, options?: { replace?: boolean }) => void;

/**
 * Parameters of the address. Setting some of them leaves the others as they are, null removes one, and each setting is one step of the browser's
 * history unless it is to replace the last one.
 */
export function useUrlState<Name extends string>(names: readonly Name[]): [state: UrlState<Name>, set: SetUrlState<Name>] {
  const [parameters, setParameters] = useSearchParams();
  const state = Object.fromEntries(names.map((name) => [name, parameters.get(name)])) as UrlState<Name>;
  const set = useCallback<SetUrlState<Name>>(
    (changes, options = {}) => {
      const before = new URLSearchParams(location.search);
      const after = new URLSearchParams(before);
      for (const [name, value] of Object.entries(changes) as [string, string | null | undefined][]) {
        if (value == null) after.delete(name);
        else after.set(name, value);
      }
      if (after.toString() !== before.toString()) setParameters(after, options);
    },
    [setParameters],
  );
  return [state, set];
}

/** Whether this is a wall screen: nothing to operate, everything to see. */
export function useKiosk(): boolean {
  return useSearchParams()[0].has("kiosk");
}
