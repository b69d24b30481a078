/** Ctrl+F6 walks the panels: every element with `data-panel`. */
export function nextPanel(step: 1 | -1): void {
  const panels = [...document.querySelectorAll<HTMLElement>("[data-panel]")].filter((panel) => panel.offsetParent !== null);
  if (!panels.length) return;
  const at = panels.findIndex((panel) => panel.contains(document.activeElement));
  const next = panels[(at + step + panels.length) % panels.length];
  if (!next) return;
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus();
}

/** "/" goes to the filter of the panel in focus, or to the first there is. */
export function focusFilter(): void {
  const panel = document.activeElement?.closest("[data-panel]");
  const field = panel?.querySelector<HTMLElement>("[data-filter]") ?? document.querySelector<HTMLElement>("[data-filter]");
  field?.focus();
}
