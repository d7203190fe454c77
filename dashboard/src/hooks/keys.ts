// What administrators do with API keys.

import { administration, changes, type NewApiKey, type NewApiKeyAnswer } from "../api/administration.ts";
import { useChange } from "./session.ts";

const outdated = [administration.keys().queryKey];

interface Creation {
  asked: NewApiKey;
  /** Takes the new key: it is handed on, and stays nowhere on the way. */
  onKey: (answer: NewApiKeyAnswer) => void;
}

export function useCreateKey() {
  return useChange(async ({ asked, onKey }: Creation) => {
    onKey(await changes.createKey(asked));
  }, outdated);
}

export function useRevokeKey() {
  return useChange((id: number) => changes.revokeKey(id), outdated);
}
