// An address that leads nowhere.

import { text } from "../util/strings.ts";

export function NotFoundPage() {
  return (
    <>
      <h1>{text.notFound.heading}</h1>
      <p>
        <a href="/">{text.notFound.back}</a>
      </p>
    </>
  );
}
