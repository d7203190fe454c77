// A dialog over the page, by the browser's own <dialog>: it keeps the focus inside, and gives it back to where it was.

import { useCallback, useId, type ReactNode } from "react";
import styles from "./dialog.module.css";

interface DialogProps {
  title: string;
  /** Asked for by Escape; the dialog is closed by no longer being drawn. */
  onClose: () => void;
  /** Cannot be left by Escape: something has to be decided in it. */
  mustStay?: boolean;
  children: ReactNode;
}

export function Dialog({ title, onClose, mustStay = false, children }: DialogProps) {
  const titleId = useId();
  const open = useCallback((dialog: HTMLDialogElement) => {
    dialog.showModal();
    return () => {
      dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={open}
      className={styles["dialog"]}
      aria-labelledby={titleId}
      onCancel={(event) => {
        // Of a date's or a list's own window it is no leave of the dialog.
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        if (!mustStay) onClose();
      }}
      onClose={(event) => {
        // Browsers let nobody be held for ever: a second Escape closes without asking.
        const dialog = event.currentTarget;
        if (dialog.open || !dialog.isConnected) return;
        if (mustStay) dialog.showModal();
        else onClose();
      }}
    >
      <div className={styles["content"]}>
        <h2 id={titleId} tabIndex={-1}>
          {title}
        </h2>
        {children}
      </div>
    </dialog>
  );
}
