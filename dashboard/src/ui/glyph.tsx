// The drawn marks. Each state has a shape of its own, so that none is told by colour alone; the words beside them carry the meaning.

const shapes = {
  wordmark: (
    <>
      <path d="M20.2 7.6A9.4 9.4 0 1 1 16.7 4" />
      <path d="M7.6 12.3l3.6 3.6L21 5.6" />
    </>
  ),
  own: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M8.2 12.2l2.7 2.7 5-5.4" />
    </>
  ),
  sealed: (
    <>
      <path d="M12 3l7.8 4.5v9L12 21l-7.8-4.5v-9z" />
      <path d="M8.4 12.2l2.6 2.6 4.8-5.2" />
    </>
  ),
  unverified: (
    <>
      <circle cx="12" cy="12" r="8.5" strokeDasharray="3.2 3.5" />
      <path d="M9 12h6" />
    </>
  ),
  live: <circle cx="12" cy="12" r="5" fill="currentColor" />,
  late: (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M12 7.5V12l3 2" />
    </>
  ),
  silent: (
    <>
      <path d="M12 4.2l8.6 15H3.4z" />
      <path d="M12 10v4M12 16.6v.1" />
    </>
  ),
  waiting: <circle cx="12" cy="12" r="8" strokeDasharray="2.6 3.7" />,
  never: <circle cx="12" cy="12" r="6" />,
  revoked: (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M6.6 6.6l10.8 10.8" />
    </>
  ),
  replaced: (
    <>
      <path d="M4 9h14.5M14.5 5l4 4-4 4" />
      <path d="M20 16.5H9" />
    </>
  ),
  conflict: (
    <>
      <path d="M7 4v7a5 5 0 0 0 5 5v4.5" />
      <path d="M17 4v7a5 5 0 0 1-5 5" />
      <path d="M4.5 6.5L7 4l2.5 2.5M14.5 6.5L17 4l2.5 2.5" />
    </>
  ),
  question: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="M9.6 9.6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.2.9-1.2 1.9M12 16.6v.1" />
    </>
  ),
  chevron: <path d="M9 6l6 6-6 6" />,
  system: (
    <>
      <rect x="3.5" y="5" width="17" height="11" rx="1.5" />
      <path d="M9 20h6" />
    </>
  ),
  light: (
    <>
      <circle cx="12" cy="12" r="3.8" />
      <path d="M12 3v2.4M12 18.6v2.4M3 12h2.4M18.6 12h2.4M5.64 5.64l1.7 1.7M16.66 16.66l1.7 1.7M5.64 18.36l1.7-1.7M16.66 7.34l1.7-1.7" />
    </>
  ),
  dark: <path d="M19.5 14.4A8 8 0 0 1 9.6 4.5a8 8 0 1 0 9.9 9.9z" />,
  copy: (
    <>
      <rect x="8.5" y="8.5" width="11" height="11" rx="1.5" />
      <path d="M15.5 5.5v-1h-11v11h1" />
    </>
  ),
  done: <path d="M5 12.5l4.5 4.5L19 7" />,
  back: <path d="M15 6l-6 6 6 6" />,
  pause: <path d="M9 6v12M15 6v12" />,
  plus: <path d="M12 6v12M6 12h12" />,
  minus: <path d="M6 12h12" />,
  whole: <path d="M4 7v10M20 7v10M7.5 12h9M10 9l-3 3 3 3M14 9l3 3-3 3" />,
  table: (
    <>
      <rect x="4" y="5" width="16" height="14" rx="1.5" />
      <path d="M4 10h16M4 14.5h16M10 10v9" />
    </>
  ),
  download: <path d="M12 4.5v10M7.5 10.5L12 15l4.5-4.5M5 19h14" />,
} as const;

export type GlyphName = keyof typeof shapes;

/** All of them. */
export const glyphNames = Object.keys(shapes) as GlyphName[];

/** Pixels of a root em, so that marks grow with the letters of a wall screen. */
const em = 15;

/** A mark as high as the text beside it, `size` pixels on a desk. Hidden from screen readers: the text says it. */
export function Glyph({ name, size = 18 }: { name: GlyphName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      style={{ width: `${String(size / em)}rem`, height: `${String(size / em)}rem` }}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {shapes[name]}
    </svg>
  );
}
