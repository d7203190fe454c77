// What the audit trail says, in words: actions by their id, and who or what is meant. What is not known stays as the gateway wrote it.

import type { Installation } from "../api/types.ts";
import { fingerprint } from "../util/format.ts";
import { t } from "../util/text.ts";

/** Every action that the gateway is known to write. */
export const actions = {
  "installation.announce": "audit.action.installationAnnounce",
  "installation.approve": "audit.action.installationApprove",
  "installation.enrol": "audit.action.installationEnrol",
  "enrolment.accept": "audit.action.enrolmentAccept",
  "installation.label": "audit.action.installationLabel",
  "installation.correct": "audit.action.installationCorrect",
  "installation.revoke": "audit.action.installationRevoke",
  "installation.replace": "audit.action.installationReplace",
  "installation.forget": "audit.action.installationForget",
  "key.create": "audit.action.keyCreate",
  "key.revoke": "audit.action.keyRevoke",
  "session.begin": "audit.action.sessionBegin",
  "session.end": "audit.action.sessionEnd",
  "readings.import": "audit.action.readingsImport",
  "firmware.root": "audit.action.firmwareRoot",
  "firmware.publish": "audit.action.firmwarePublish",
  "firmware.withdraw": "audit.action.firmwareWithdraw",
  "firmware.report": "audit.action.firmwareReport",
  "rollout.begin": "audit.action.rolloutBegin",
  "rollout.wave": "audit.action.rolloutWave",
  "rollout.succeed": "audit.action.rolloutSucceed",
  "rollout.finish": "audit.action.rolloutFinish",
  "rollout.complete": "audit.action.rolloutComplete",
  "rollout.halt": "audit.action.rolloutHalt",
  "rollout.pause": "audit.action.rolloutPause",
  "rollout.resume": "audit.action.rolloutResume",
  "rollout.abort": "audit.action.rolloutAbort",
  "rollout.withdraw": "audit.action.rolloutWithdraw",
  "rollout.retry": "audit.action.rolloutRetry",
  "database.restore": "audit.action.databaseRestore",
} as const;

/** The kinds of actions: each is what stands before the dot. */
export const actionGroups = {
  installation: "audit.group.installation",
  enrolment: "audit.group.enrolment",
  key: "audit.group.key",
  session: "audit.group.session",
  readings: "audit.group.readings",
  firmware: "audit.group.firmware",
  rollout: "audit.group.rollout",
  database: "audit.group.database",
} as const;

/** An action in words; its id where there are none. */
export function actionText(action: string): string {
  const known = Object.entries(actions).find(([id]) => id === action);
  return known ? t(known[1]) : action;
}

/** A part of a line: words, and where they lead. */
export interface Named {
  text: string;
  href: string | null;
}

/** Who or what is meant: a meter by its name, a signer by its fingerprint. */
export function named(said: string, installations: readonly Installation[]): Named {
  const [, kind, rest] = /^(meter|installation|signer|key|root|release|rollout) (.+)$/.exec(said) ?? [];
  if (kind === "signer" && rest && isId(rest)) return { text: t("audit.who.operator", { fingerprint: fingerprint(rest) }), href: null };
  if (kind === "installation" && rest && /^\d+$/.test(rest)) {
    const installation = installations.find(({ id }) => String(id) === rest);
    return { text: installation?.name ?? t("audit.who.installation", { number: rest }), href: `/installations/${rest}` };
  }
  if (kind === "meter" && rest) return namedMeter(rest, installations);
  if (kind === "root" && rest) return { text: t("audit.who.root", { number: rest }), href: "/firmware" };
  if (kind === "release" && rest && isId(rest)) return { text: t("audit.who.release", { digest: fingerprint(rest) }), href: `/firmware/releases/${rest}` };
  if (kind === "rollout" && rest && /^\d+$/.test(rest)) return { text: t("audit.who.rollout", { number: rest }), href: `/firmware/rollouts/${rest}` };
  if (kind === "key" && rest) return { text: t("audit.who.key", { name: rest }), href: null };
  if (said === "gateway") return { text: t("audit.who.gateway"), href: null };
  return { text: said, href: null };
}

/** `ID`, or `ID by installation N` of a replacement. */
function namedMeter(rest: string, installations: readonly Installation[]): Named {
  const [, id = "", follower] = /^([0-9a-f]{64})(?: by installation (\d+))?$/.exec(rest) ?? [];
  if (id === "") return { text: rest, href: null };
  const installation = installations.find(({ meter_id }) => meter_id === id);
  const name = installation?.name ?? t("audit.who.meter", { fingerprint: fingerprint(id) });
  const href = installation ? `/installations/${String(installation.id)}` : null;
  if (follower === undefined) return { text: name, href };
  const by = installations.find((each) => String(each.id) === follower)?.name ?? follower;
  return { text: t("audit.who.replacedBy", { name, by }), href };
}

/** What stands beside a change, in words where it has one of the gateway's forms. */
export function detailText(detail: string): string {
  const [, digest] = /^enrolment ([0-9a-f]{64})$/.exec(detail) ?? [];
  if (digest !== undefined) return t("audit.detail.enrolment", { digest: fingerprint(digest) });
  if (detail === "by a signed record") return t("audit.detail.signed");
  if (detail === "the administrator's key of this gateway") return t("audit.detail.firstKey");
  if (detail === "it waited for a day, and the list was full") return t("audit.detail.forgotten");
  const role = roles.find((each) => detail === `role ${each}`);
  return role ? t("audit.detail.role", { role: t(`app.role.${role}`) }) : detail;
}

const roles = ["viewer", "operator", "firmware", "admin"] as const;

function isId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
