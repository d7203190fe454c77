// A record's detail, fetched with its texts when the first record is opened: a list of records needs neither.

import { Suspense, use } from "react";
import type { Reading } from "../api/types.ts";
import { useLanguage } from "../hooks/language.ts";
import { Skeleton } from "../ui/skeleton.tsx";
import { loadTexts, type Language } from "../util/text.ts";
import type * as details from "./record-detail.tsx";

type Details = typeof details;

const opened = new Map<Language, Promise<Details>>();

function open(language: Language): Promise<Details> {
  const known = opened.get(language);
  if (known) return known;
  const opening = Promise.all([import("./record-detail.tsx"), loadTexts(["proof"], language)]).then(([loaded]) => loaded);
  opened.set(language, opening);
  opening.catch(() => {
    // What could not be fetched is fetched again at the next try.
    opened.delete(language);
  });
  return opening;
}

/** A record of the list, or one that the address names and the list no longer holds. */
export function OpenedRecord(props: { reading: Reading } | { recordKey: string }) {
  return (
    <Suspense fallback={<Skeleton width="100%" height="18rem" />}>
      <Opened {...props} />
    </Suspense>
  );
}

function Opened(props: { reading: Reading } | { recordKey: string }) {
  const [language] = useLanguage();
  const { RecordDetail, LinkedRecord } = use(open(language));
  return "reading" in props ? <RecordDetail reading={props.reading} /> : <LinkedRecord recordKey={props.recordKey} />;
}
