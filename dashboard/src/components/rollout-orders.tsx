// What can be said to a rollout that is not over: pause and resume at a click, abort after what follows was read.

import { useState } from "react";
import type { RolloutDetail, RolloutOrder } from "../api/firmware.ts";
import { useRolloutOrder } from "../hooks/firmware.ts";
import { useMay } from "../hooks/session.ts";
import buttons from "../ui/button.module.css";
import { Dialog } from "../ui/dialog.tsx";
import { Form, FormActions, useProblems } from "../ui/form.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { t } from "../util/text.ts";
import { problemsOf } from "./administration-problems.ts";
import styles from "./installation-end.module.css";
import { Restricted } from "./restricted.tsx";
import { isOver, isUnderWay } from "./rollout-words.ts";
import own from "./rollout-orders.module.css";

export function RolloutOrders({ rollout }: { rollout: RolloutDetail }) {
  if (isOver(rollout.state)) return null;
  return (
    <Restricted to="operatorOrFirmware" what={t("firmware.order.restricted")}>
      <Orders rollout={rollout} />
    </Restricted>
  );
}

function Orders({ rollout }: { rollout: RolloutDetail }) {
  const [isAborting, setAborting] = useState(false);
  const { attempt, problems, report } = useProblems();
  const mayResume = useMay("firmware");
  const order = useRolloutOrder();
  const give = (word: RolloutOrder) => {
    if (order.isPending) return;
    order.mutate(
      { id: rollout.id, order: word },
      {
        onSuccess: () => {
          report([]);
          setAborting(false);
        },
        onError: (error) => {
          report(problemsOf(error));
        },
      },
    );
  };
  const buttonsShown = (
    <div className={own["orders"]}>
      {isUnderWay(rollout.state) ? (
        <button type="button" className={buttons["button"]} data-primary aria-disabled={order.isPending} onClick={() => give("pause")}>
          <Glyph name="pause" size={16} />
          {t("firmware.order.pause")}
        </button>
      ) : null}
      {!isUnderWay(rollout.state) && mayResume.allowed ? (
        <button type="button" className={buttons["button"]} data-primary aria-disabled={order.isPending} onClick={() => give("resume")}>
          {t("firmware.order.resume")}
        </button>
      ) : null}
      <button
        type="button"
        className={buttons["button"]}
        data-danger
        onClick={() => {
          setAborting(true);
        }}
      >
        {t("firmware.order.abort")}
      </button>
    </div>
  );
  return (
    <>
      {problems.length > 0 && !isAborting ? (
        <Form label={t("firmware.order.restricted")} problemsTitle={t("firmware.order.refused")} problems={problems} attempt={attempt} onSubmit={() => undefined}>
          {buttonsShown}
        </Form>
      ) : (
        buttonsShown
      )}
      {!isUnderWay(rollout.state) && !mayResume.allowed && mayResume.reason !== null ? (
        <p className={own["note"]}>{t("firmware.order.resumeNeeds", { reason: mayResume.reason })}</p>
      ) : null}
      {isAborting ? (
        <Dialog
          title={t("firmware.abort.heading", { name: rollout.name })}
          onClose={() => {
            setAborting(false);
          }}
        >
          <ul className={styles["then"]}>
            <li>{t("firmware.abort.then.fetched", { count: rollout.counts.staged + rollout.counts.fetching })}</li>
            <li>{t("firmware.abort.then.trial", { count: rollout.counts.trial })}</li>
            <li>{t("firmware.abort.then.updated", { count: rollout.counts.updated })}</li>
            <li>{t("firmware.abort.then.final")}</li>
          </ul>
          <Form
            problemsTitle={t("app.form.problems", { count: problems.length })}
            problems={problems}
            attempt={attempt}
            onSubmit={() => {
              give("abort");
            }}
          >
            <FormActions>
              <button type="submit" className={buttons["button"]} data-danger aria-disabled={order.isPending}>
                {order.isPending ? t("app.form.pending") : t("firmware.abort.submit")}
              </button>
              <button
                type="button"
                className={buttons["button"]}
                onClick={() => {
                  setAborting(false);
                }}
              >
                {t("app.form.cancel")}
              </button>
            </FormActions>
          </Form>
        </Dialog>
      ) : null}
    </>
  );
}
