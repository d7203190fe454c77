// Hands a signed release file to the gateway, with its progress; the gateway says whether it takes it, and if not, why. The file is not looked into here.

import { useState } from "react";
import { useLocation } from "wouter";
import { usePublish } from "../hooks/firmware.ts";
import buttons from "../ui/button.module.css";
import { FileField } from "../ui/field.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { byteSize, percent } from "../util/format.ts";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import styles from "./firmware-upload.module.css";

export function FirmwareUpload({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const { attempt, problems, report } = useProblems();
  const [, navigate] = useLocation();
  const publish = usePublish();

  const submit = () => {
    if (publish.isPending) return;
    report(file ? [] : [{ field: "file", message: t("firmware.upload.missing") }]);
    if (!file) return;
    setSent(0);
    publish.mutate(
      { file, onProgress: setSent },
      {
        onSuccess: ({ digest }) => {
          navigate(`/firmware/releases/${digest}`);
        },
        onError: (error) => {
          report(problemsOf(error, { fieldOf: () => "file" }));
        },
      },
    );
  };

  return (
    <Form
      label={t("firmware.upload.heading")}
      problemsTitle={t("app.form.problems", { count: problems.length })}
      problems={problems}
      attempt={attempt}
      onSubmit={submit}
    >
      <FileField name="file" label={t("firmware.upload.file")} hint={t("firmware.upload.hint")} accept=".wwr" disabled={publish.isPending} onChange={setFile} />
      {publish.isPending && file ? <Progress sent={sent} size={file.size} /> : null}
      <FormActions>
        <button type="submit" className={buttons["button"]} data-primary aria-disabled={publish.isPending}>
          {publish.isPending ? t("app.form.pending") : t("firmware.upload.submit")}
        </button>
        <button type="button" className={buttons["button"]} onClick={onClose}>
          {t("app.form.cancel")}
        </button>
      </FormActions>
    </Form>
  );
}

/** What is counted on the way is a little more than the file: never more than all of it is shown. */
function Progress({ sent, size }: { sent: number; size: number }) {
  const bounded = Math.min(sent, size);
  const isThere = bounded >= size;
  return (
    <div className={styles["progress"]} role="status">
      <progress aria-label={t("firmware.upload.progress")} max={size} value={bounded} />
      <span>
        {isThere ? t("firmware.upload.checking") : t("firmware.upload.sent", { sent: byteSize(bounded), size: byteSize(size), percent: percent(bounded / size) })}
      </span>
    </div>
  );
}
