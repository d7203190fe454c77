// The page's last lines: where its figures come from, where to check them, in which language and light they are shown.

import { themes, useTheme } from "../hooks/theme.ts";
import { useLanguage } from "../hooks/language.ts";
import { Choice } from "../ui/choice.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { languages, t } from "../util/text.ts";
import styles from "./page-footer.module.css";

export function PageFooter() {
  const [theme, chooseTheme] = useTheme();
  const [language, chooseLanguage] = useLanguage();
  return (
    <footer className={styles["footer"]}>
      <p className={styles["claim"]}>{t("app.footer.claim")}</p>
      <a href="/docs">{t("app.footer.api")}</a>
      <div className={styles["choices"]}>
        <Choice
          label={t("app.language.label")}
          options={languages.map((value) => ({ value, label: t(`app.language.${value}`) }))}
          value={language}
          onChange={(value) => void chooseLanguage(value)}
        />
        <Choice
          label={t("app.theme.label")}
          options={themes.map((value) => ({ value, label: t(`app.theme.${value}`), glyph: <Glyph name={value} /> }))}
          value={theme}
          onChange={chooseTheme}
        />
      </div>
    </footer>
  );
}
