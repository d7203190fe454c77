// What operators do with meters. Each change has the meters and their signed records asked for anew.

import { changes, type Announcement, type Approval, type LabelRequest, type RevocationRequest } from "../api/administration.ts";
import { keys } from "../api/queries.ts";
import { useChange } from "./session.ts";

/** The list, and whatever is known of single meters: one change may concern two of them. */
const meters = [keys.installations, ["installation"], keys.status, keys.alerts, keys.energies];

export function useAnnounce() {
  return useChange((announcement: Announcement) => changes.announce(announcement), [keys.installations, keys.status, keys.alerts]);
}

/** Signs an Enrolment: the first of a meter, or one that takes the place of the one before. */
export function useApprove() {
  return useChange(({ id, approval }: { id: number; approval: Approval }) => changes.approve(id, approval), meters);
}

export function useLabel() {
  return useChange(({ id, label }: { id: number; label: LabelRequest }) => changes.label(id, label), meters);
}

export function useRevoke() {
  return useChange(({ id, revocation }: { id: number; revocation: RevocationRequest }) => changes.revoke(id, revocation), meters);
}
