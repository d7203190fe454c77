// A time as it was formatted, which also says itself in UTC: to the pointer, and to programs.

import { utcStamp } from "../util/format.ts";

interface TimeTextProps {
  /** Milliseconds. */
  at: number;
  children: string;
}

export function TimeText({ at, children }: TimeTextProps) {
  return (
    <time dateTime={new Date(at).toISOString()} title={`${utcStamp(at)} UTC`}>
      {children}
    </time>
  );
}
