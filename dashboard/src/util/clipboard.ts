// Puts a text on the clipboard, and never throws. Browsers hide it on plain http addresses, where a park's gateway often is: then an old way is taken.

/** Whether the text is there now. */
export async function copy(content: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(content);
    return true;
  } catch {
    // Where it is hidden or refused, the old way may still be allowed.
    return copyOldWay(content);
  }
}

function copyOldWay(content: string): boolean {
  const area = document.createElement("textarea");
  area.value = content;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
  }
}
