// The time on the gateway's clock, by which the park's days, ages and ends are counted, whatever this device believes. It asks for nothing: answers say what time it is.

/** What the way of an answer and a header in whole seconds explain, milliseconds. */
const slack = 5000;

/** A gateway that says less has not learnt the time itself. */
const earliest = Date.UTC(2026, 0);

let ahead = 0;

/** A time of this device's clock, now unless said, as the gateway has it: milliseconds since 1970. */
export function gatewayTime(ms = Date.now()): number {
  return ms + ahead;
}

/** Takes the time that an answer bears; it was asked for at `asked` and came now, on this device's clock. */
export function learnTime(said: number, asked: number): void {
  const came = Date.now();
  const isExplained = said - came - slack <= ahead && ahead <= said + 1000 - asked + slack;
  if (isExplained || !(said >= earliest)) return;
  const learnt = said + 500 - (asked + came) / 2;
  ahead = Math.abs(learnt) < slack ? 0 : Math.round(learnt);
}
